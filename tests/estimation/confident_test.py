"""Confident learning: its laws, its formula, and cleanlab's answers."""

import functools
from typing import NamedTuple

from cleanlab import count
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation
from tests.estimation import problems

CASES = {
  # Of one shape, since compilation takes the time.
  'random': problems.random_problem(1500, 7),
  'imbalanced': problems.random_problem(1500, 7, seed=1, skew=2.0),
  'missing': problems.random_problem(1500, 7, seed=2, missing=[0, 5]),
  'two classes': problems.random_problem(501, 2, seed=3),
  'few examples': problems.random_problem(6, 9, seed=4),
  'many classes': problems.random_problem(1500, 60, seed=5),
}
every_case = pytest.mark.parametrize('case', CASES)


class Answer(NamedTuple):
  counts: estimation.ConfidentCounts
  uncalibrated: np.ndarray
  matrix: np.ndarray
  estimate: estimation.Estimate


def answer(labels, probs):
  counts = counts_of(labels, probs)
  matrix = estimation.confident_matrix(counts)
  return Answer(
    counts,
    estimation.confident_matrix(counts, calibrate=False),
    matrix,
    estimation.from_joint(matrix),
  )


def counts_of(labels, probs):
  confidence = estimation.self_confidence(labels, probs)
  thresholds = estimation.thresholds_from(confidence)
  return estimation.confident_counts(labels, probs, thresholds)


@functools.cache
def both(case):
  """The answers of numpy, and of jax."""
  labels, probs = CASES[case]
  by_jax = jax.jit(answer)(labels, probs)
  return answer(labels, probs), jax.tree.map(np.asarray, by_jax)


def by_the_paper(labels, probs):
  """C[true, given] in loops, with cleanlab's rule for several classes."""
  num_classes = probs.shape[1]
  wide = probs.astype(np.float64)
  counts = np.zeros((num_classes, num_classes), int)
  thresholds = [
    max(wide[labels == k, k].mean(), 2e-6) if (labels == k).any() else 2
    for k in range(num_classes)
  ]
  for label, row in zip(labels, wide, strict=True):
    confident = [
      k for k in range(num_classes) if row[k] >= thresholds[k] - 1e-6
    ]
    if confident:
      guess = confident[0] if len(confident) == 1 else row.argmax()
      counts[guess, label] += 1
  return counts


@every_case
def test_counts_follow_the_formula(case):
  labels, probs = CASES[case]
  for counts, *_ in both(case):
    np.testing.assert_array_equal(counts.joint, by_the_paper(labels, probs))
    np.testing.assert_array_equal(
      counts.given, np.bincount(labels, minlength=probs.shape[1])
    )


@every_case
def test_uncalibrated_is_cleanlabs(case):
  labels, probs = CASES[case]
  want = count.compute_confident_joint(labels, probs, calibrate=False)
  for got in both(case):
    np.testing.assert_array_equal(got.uncalibrated.T, want)


@every_case
def test_calibrated_is_cleanlabs_but_for_equal_fractions(case):
  labels, probs = CASES[case]
  want = count.compute_confident_joint(labels, probs, calibrate=True)
  for counts, before, got, _ in both(case):
    before, got = before.T, got.T
    np.testing.assert_array_equal(got.sum(axis=1), counts.given)
    totals = np.asarray(before.sum(axis=1), np.int64)
    products = np.asarray(before, np.int64) * np.asarray(counts.given)[:, None]
    remainders = products % totals[:, None]
    for row in range(len(got)):
      # Which of equal fractions it rounds up, cleanlab leaves to the sort.
      for fraction in np.unique(remainders[row]):
        equal = remainders[row] == fraction
        floors = products[row] // totals[row]
        assert (got - floors)[row, equal].sum() == (
          (want - floors)[row, equal].sum()
        )
        assert abs(got - want)[row, equal].max() <= 1


@pytest.mark.parametrize('case', [case for case in CASES if case != 'missing'])
def test_latent_estimates_are_cleanlabs(case):
  labels, _ = CASES[case]
  for _, _, matrix, got in both(case):
    present = (matrix.diagonal() > 0) & (matrix.sum(axis=1) > 0)
    if present.all():
      check_latent(got, matrix, labels)
    else:  # Cleanlab's own answer where its shortcut divides 0 by 0.
      prior, _, _ = count.estimate_latent(
        matrix.T, labels, py_method='marginal'
      )
      np.testing.assert_allclose(got.prior, prior, atol=2e-5)
      noise_matrix = count.estimate_latent(matrix.T, labels)[1]
      rows = matrix.sum(axis=1) > 0
      np.testing.assert_allclose(
        got.transition[rows], noise_matrix.T[rows], atol=2e-4
      )


def check_latent(got, matrix, labels):
  prior, noise_matrix, inverse = count.estimate_latent(matrix.T, labels)
  np.testing.assert_allclose(got.prior, prior, atol=1e-6)
  np.testing.assert_allclose(got.transition.T, noise_matrix, atol=1e-6)
  np.testing.assert_allclose(got.inverse, inverse, atol=1e-6)
  np.testing.assert_allclose(
    got.joint.T,
    count.estimate_joint(labels, None, confident_joint=matrix.T),
    atol=1e-6,
  )


def test_latent_estimates_where_a_class_is_missing():
  labels, _ = CASES['missing']
  missing, present = [0, 5], [1, 2, 3, 4, 6]
  for _, _, matrix, got in both('missing'):
    prior, noise_matrix, inverse = count.estimate_latent(matrix.T, labels)
    # Cleanlab lifts the prior of each of two missing classes to 1e-6.
    np.testing.assert_allclose(got.prior, prior, atol=2e-6)
    both_present = np.ix_(present, present)
    np.testing.assert_allclose(
      got.transition[both_present], noise_matrix.T[both_present], atol=1e-6
    )
    np.testing.assert_allclose(
      got.inverse[both_present], inverse[both_present], atol=1e-6
    )
    np.testing.assert_array_equal(got.prior[np.array(missing)], 0)
    np.testing.assert_array_equal(
      got.transition[np.array(missing)], np.eye(7)[missing]
    )


def test_float64_is_cleanlabs():
  labels, probs = CASES['random']
  probs = probs.astype(np.float64)
  probs /= probs.sum(axis=1, keepdims=True)
  want = count.compute_confident_joint(labels, probs, calibrate=False)
  with jax.enable_x64(True):
    for array in (np.asarray, jnp.asarray):
      counts = counts_of(array(labels), array(probs))
      got = estimation.confident_matrix(counts, calibrate=False)
      np.testing.assert_array_equal(got.T, want)


def test_thresholds_of_ones_own():
  labels, probs = CASES['random']
  thresholds = np.linspace(0.2, 0.6, 7)
  want = count.compute_confident_joint(
    labels, probs, thresholds=thresholds, calibrate=False
  )
  for array in (np.asarray, jnp.asarray):
    counts = estimation.confident_counts(
      array(labels), array(probs), array(thresholds)
    )
    got = estimation.confident_matrix(counts, calibrate=False)
    np.testing.assert_array_equal(got.T, want)


def test_nobody_is_confident():
  labels, probs = CASES['random']
  counts = estimation.confident_counts(labels, probs, np.full(7, 1.5))
  assert not counts.joint.any()
  estimate = estimation.confident_from_counts(counts)
  np.testing.assert_array_equal(estimate.transition, np.eye(7))
  np.testing.assert_allclose(estimate.prior, np.bincount(labels) / len(labels))
  assert estimate.rate == 0


def test_certain_predictions_recover_the_realised_noise():
  true, given = problems.labels(4000)
  for probs in (problems.clean_probs(true), jnp.eye(4)[true]):
    got = estimation.confident_joint(given, np.asarray(probs))
    np.testing.assert_allclose(got.rate, np.mean(true != given), atol=2e-3)
    np.testing.assert_allclose(got.transition, problems.TRANSITION, atol=0.06)


@every_case
def test_jax_is_numpy(case):
  on_host, on_device = both(case)
  problems.assert_close(on_device, on_host)


def test_each_way_to_call_it():
  labels, probs = CASES['two classes']
  on_host = estimation.confident_joint(labels, probs)
  assert isinstance(on_host.transition, np.ndarray)
  problems.assert_close(on_host, both('two classes')[0].estimate)
  arrays = jnp.asarray(labels), jnp.asarray(probs)
  problems.assert_close(estimation.confident_joint(*arrays), on_host)


@pytest.mark.parametrize('weighted', [False, True])
def test_shards_add_up(weighted):
  labels, probs = problems.random_problem(1200, 6, seed=7)
  weights = np.random.default_rng(0).integers(3 if weighted else 1, size=1200)
  weights = weights + (not weighted)

  def of_shard(labels, probs, weights):
    return estimation.confident_joint(
      labels, probs, weights=weights, axis_name='shards'
    )

  got = problems.sharded(of_shard, labels, probs, weights)
  want = estimation.confident_joint(labels, probs, weights=weights)
  problems.assert_close(got, want)


def test_weights_are_repetitions():
  labels, probs = CASES['random']
  weights = np.random.default_rng(0).integers(4, size=len(labels))
  repeated = np.repeat(np.arange(len(labels)), weights)
  want = estimation.confident_joint(labels[repeated], probs[repeated])
  for function in (
    estimation.confident_joint,
    jax.jit(estimation.confident_joint),
  ):
    problems.assert_close(function(labels, probs, weights=weights), want)


def test_order_in_memory_does_not_matter():
  labels, probs = CASES['random']
  want = estimation.confident_joint(labels, probs)
  wide = np.repeat(probs, 2, axis=1)
  for same in (np.asfortranarray(probs), wide[:, ::2]):
    problems.assert_close(estimation.confident_joint(labels, same), want)


def test_order_of_examples_does_not_matter():
  labels, probs = CASES['imbalanced']
  order = np.random.default_rng(0).permutation(len(labels))
  problems.assert_close(
    estimation.confident_joint(labels[order], probs[order]),
    estimation.confident_joint(labels, probs),
  )


def test_names_of_classes_do_not_matter():
  labels, probs = CASES['random']
  order = np.random.default_rng(0).permutation(7)
  renamed = np.argsort(order)[labels]
  for array, counts in zip(
    (np.asarray, jnp.asarray), both('random'), strict=True
  ):
    other = counts_of(array(renamed), array(probs[:, order]))
    np.testing.assert_array_equal(
      counts.counts.joint[np.ix_(order, order)], other.joint
    )


@pytest.mark.parametrize('dtype', [jnp.bfloat16, jnp.float16])
def test_narrow_probs(dtype):
  labels, probs = CASES['random']
  narrow = jnp.asarray(probs, dtype)
  wide = np.asarray(narrow.astype(jnp.float32))
  on_host = counts_of(labels, wide)
  on_device = counts_of(jnp.asarray(labels), narrow)
  np.testing.assert_array_equal(on_host.joint, on_device.joint)
  np.testing.assert_array_equal(
    counts_of(labels, np.asarray(narrow)).joint, on_host.joint
  )


def _changed(array, place, value):
  array = array.copy()
  array[place] = value
  return array


@pytest.mark.parametrize('array', [np.asarray, jnp.asarray])
@pytest.mark.parametrize(
  ('change', 'message'),
  [
    (lambda y, p: (y, _changed(p, (3, 1), np.nan)), 'sum nan .* position 3'),
    (lambda y, p: (y, _changed(p, (3, 1), -0.5)), 'probs must be non-negative'),
    (lambda y, p: (y, np.log(p)), 'are they logits'),
    (lambda y, p: (y, 1.01 * p), 'sum 1.01'),
    (lambda y, p: (_changed(y, 5, 7), p), r'0..6, got 7 at position 5'),
    (lambda y, p: (_changed(y, 5, -1), p), r'0..6, got -1 at position 5'),
    (lambda y, p: (y[:-1], p), 'labels must have shape'),
    (lambda y, p: (y.astype(np.float32), p), 'labels must be integers'),
    (lambda y, p: (y, p[:, :1]), r'\[N, K\] with N > 0 and K > 1'),
    (lambda y, p: (y[:0], p[:0]), r'\[N, K\] with N > 0 and K > 1'),
    (lambda y, p: (y, p.astype(np.int32)), 'probs must be floats'),
  ],
)
def test_errors(array, change, message):
  labels, probs = change(*CASES['random'])
  with pytest.raises(ValueError, match=message):
    estimation.confident_joint(array(labels), array(probs))


def test_errors_of_options():
  labels, probs = CASES['random']
  with pytest.raises(ValueError, match='thresholds must have shape'):
    estimation.confident_joint(labels, probs, thresholds=np.ones(3))
  with pytest.raises(ValueError, match='weights must be integers'):
    estimation.confident_joint(labels, probs, weights=np.ones(3, int))
  with pytest.raises(ValueError, match='weights must not be negative'):
    estimation.confident_joint(labels, probs, weights=-np.ones(1500, int))
