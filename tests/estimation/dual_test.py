import functools

import jax
import numpy as np
import pytest

from noisy_labels import estimation
from tests.estimation import problems

LABELS, PROBS = problems.random_problem(800, 5)
dual = jax.jit(estimation.dual_transition)


def by_the_paper(labels, probs, percentile):
  """T = A B, and B by counting in loops."""
  num_classes = probs.shape[1]
  counts = np.zeros((num_classes, num_classes))
  for label, row in zip(labels, probs, strict=True):
    counts[row.argmax(), label] += 1
  second = np.eye(num_classes)
  for predicted, row in enumerate(counts):
    if row.any():
      second[predicted] = row / row.sum()
  first = problems.anchor_rows(probs, percentile)
  return np.asarray(first, np.float64) @ second


@pytest.mark.parametrize('percentile', [None, 97.0])
def test_formula(percentile):
  function = jax.jit(
    functools.partial(estimation.dual_transition, percentile=percentile)
  )
  got = function(LABELS, PROBS)
  want = by_the_paper(LABELS, PROBS, percentile)
  np.testing.assert_allclose(got.transition, want, atol=1e-6)


def test_a_class_that_is_never_predicted():
  probs = np.concatenate([0.9 * PROBS, np.full((800, 1), 0.1)], axis=1)
  probs[:, 5] = 0.5 * probs.min(axis=1)
  probs = (probs / probs.sum(axis=1, keepdims=True)).astype(np.float32)
  got = dual(LABELS, probs)
  np.testing.assert_allclose(
    got.transition, by_the_paper(LABELS, probs, 97), atol=1e-6
  )
  assert np.isfinite(got.prior).all()


def test_it_beats_anchor_points_where_these_are_overconfident():
  """Predictions as of a network: too sure, and of examples between classes."""
  rng = np.random.default_rng(0)
  true, given = problems.labels(20000)
  logits = np.log(problems.TRANSITION[true] + 1e-3)
  logits = 2.5 * logits + rng.normal(size=logits.shape)
  probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
  probs = probs.astype(np.float32)

  def error(estimate):
    return np.abs(np.asarray(estimate.transition) - problems.TRANSITION).sum()

  anchors = jax.jit(functools.partial(estimation.anchor_points, percentile=97))
  assert error(dual(given, probs)) < 0.7 * error(anchors(probs))


def test_shards_add_up():
  weights = np.random.default_rng(0).integers(3, size=800)
  got = problems.sharded(
    lambda labels, probs, weights: estimation.dual_transition(
      labels, probs, weights=weights, axis_name='shards'
    ),
    LABELS, PROBS, weights,
  )  # fmt: skip
  want = dual(LABELS, PROBS, weights=weights)
  problems.assert_close(got, want, atol=1e-5)


def test_weights_are_repetitions():
  weights = np.random.default_rng(0).integers(3, size=800)
  repeated = np.repeat(np.arange(800), weights)
  np.testing.assert_array_equal(
    estimation.predicted_counts(LABELS, PROBS, weights=weights),
    estimation.predicted_counts(LABELS[repeated], PROBS[repeated]),
  )


def test_order_of_examples_and_classes_does_not_matter():
  rng = np.random.default_rng(0)
  rows, classes = rng.permutation(800), rng.permutation(5)
  got = dual(np.argsort(classes)[LABELS][rows], PROBS[rows][:, classes])
  want = problems.permuted(dual(LABELS, PROBS), classes)
  problems.assert_close(got, want, atol=1e-4)


def test_errors():
  with pytest.raises(ValueError, match=r'labels must be in 0..4'):
    estimation.dual_transition(LABELS + 1, PROBS)
  with pytest.raises(ValueError, match='are they logits'):
    estimation.dual_transition(LABELS, np.log(PROBS))
