import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation
from tests.estimation import problems

PERCENTILES = (None, 97.0, 60.0, 100.0)
_, PROBS = problems.random_problem(800, 5)


@functools.cache
def jitted(percentile):
  return jax.jit(
    functools.partial(estimation.anchor_points, percentile=percentile)
  )


@pytest.mark.parametrize('percentile', PERCENTILES)
def test_rows_follow_the_formula(percentile):
  got = jitted(percentile)(PROBS)
  np.testing.assert_array_equal(
    got.transition, problems.anchor_rows(PROBS, percentile)
  )
  np.testing.assert_allclose(got.given, PROBS.mean(axis=0), atol=0.2)


def test_float64():
  with jax.enable_x64(True):
    probs = PROBS.astype(np.float64) / PROBS.sum(axis=1, keepdims=True)
    got = estimation.anchor_points(jnp.asarray(probs), percentile=97)
    np.testing.assert_array_equal(
      got.transition, problems.anchor_rows(probs, 97)
    )


def test_perfect_predictions_give_the_transition():
  true, _ = problems.labels(2000)
  noisy = np.eye(4)[true] @ problems.TRANSITION
  got = jitted(None)(noisy.astype(np.float32))
  np.testing.assert_allclose(got.transition, problems.TRANSITION, atol=1e-6)
  frequencies = np.bincount(true) / len(true)
  np.testing.assert_allclose(got.prior, frequencies, atol=1e-5)
  wrong = 1 - frequencies @ problems.TRANSITION.diagonal()
  np.testing.assert_allclose(got.rate, wrong, atol=1e-5)


def test_nothing_below_the_percentile_leaves_the_maximum():
  probs = np.full((10, 2), 0.5, np.float32)
  got = jitted(97.0)(probs)
  np.testing.assert_array_equal(got.transition, probs[:2])


@pytest.mark.parametrize('percentile', [None, 97.0])
def test_shards_agree_with_the_whole(percentile):
  got = problems.sharded(
    lambda probs: estimation.anchor_points(
      probs, percentile=percentile, axis_name='shards'
    ),
    PROBS,
  )
  problems.assert_close(got, jitted(percentile)(PROBS), atol=1e-5)


def test_equal_anchors_in_two_shards_count_once():
  probs = np.tile(np.array([[0.7, 0.3], [0.2, 0.8]], np.float32), (4, 1))
  got = problems.sharded(
    lambda probs: estimation.anchor_rows(probs, axis_name='shards'), probs
  )
  np.testing.assert_array_equal(got, probs[:2])


def test_order_of_examples_and_classes_does_not_matter():
  rng = np.random.default_rng(0)
  rows, classes = rng.permutation(len(PROBS)), rng.permutation(5)
  want = problems.permuted(jitted(97.0)(PROBS), classes)
  got = jitted(97.0)(PROBS[rows][:, classes])
  problems.assert_close(got, want, atol=1e-4)


def test_errors():
  with pytest.raises(ValueError, match='are they logits'):
    estimation.anchor_points(np.log(PROBS))
  for percentile in (0, 101, -3):
    with pytest.raises(ValueError, match='percentile must be in'):
      estimation.anchor_points(PROBS, percentile=percentile)
