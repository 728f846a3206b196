"""Which labels confident learning takes, and which cleanlab does."""

import functools
import warnings

from cleanlab import filter as cleanlab_filter
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import detection
from noisy_labels import estimation
from noisy_labels.detection import confident
from noisy_labels.detection import largest_host
from noisy_labels.estimation import blocks
from tests.estimation import problems

CASES = {
  # Of one shape, since compilation takes the time.
  'random': problems.random_problem(1504, 10),
  'imbalanced': problems.random_problem(1504, 10, seed=1, skew=2.0),
  'skewed': problems.random_problem(1504, 10, seed=1, skew=1.0),
  'missing': problems.random_problem(1504, 10, seed=4, missing=[0, 5]),
  # So many of a class that a number is selected, where few are sorted.
  'two large classes': problems.random_problem(3001, 2, seed=3),
  'few examples': problems.random_problem(6, 9, seed=4),
  'many classes': problems.random_problem(1500, 60, seed=5),
  'single examples': problems.random_problem(60, 40, seed=6, skew=1.0),
}
every_case = pytest.mark.parametrize('case', CASES)
every_filter = pytest.mark.parametrize('filter_by', confident.FILTERS)


def theirs(labels, probs, filter_by, joint=None):
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # Of classes with few examples.
    return cleanlab_filter.find_label_issues(
      labels, probs, filter_by=filter_by, confident_joint=joint, n_jobs=1
    )


@functools.cache
def compiled(filter_by):
  return jax.jit(
    functools.partial(detection.confident_learning, filter_by=filter_by)
  )


@every_filter
@every_case
def test_masks_are_cleanlabs(case, filter_by):
  labels, probs = CASES[case]
  # Where equal fractions round otherwise, cleanlab is told our joint.
  joint = None
  if filter_by != 'confident_learning':
    counts = confident_counts(labels, probs)
    joint = np.asarray(estimation.confident_matrix(counts)).T
  want = theirs(labels, probs, filter_by, joint)
  got = compiled(filter_by)(labels, probs)
  np.testing.assert_array_equal(got, want)
  by_numpy = detection.confident_learning(labels, probs, filter_by=filter_by)
  np.testing.assert_array_equal(by_numpy, want)


@every_filter
@pytest.mark.parametrize('case', ['random', 'skewed', 'missing'])
def test_masks_are_cleanlabs_with_its_own_joint(case, filter_by):
  labels, probs = CASES[case]
  got = compiled(filter_by)(labels, probs)
  np.testing.assert_array_equal(got, theirs(labels, probs, filter_by))
  assert got.sum() > 10


def confident_counts(labels, probs):
  confidence = estimation.self_confidence(labels, probs)
  thresholds = estimation.thresholds_from(confidence)
  return estimation.confident_counts(labels, probs, thresholds)


@every_filter
@pytest.mark.parametrize('case', ['imbalanced', 'two large classes'])
def test_blocks_do_not_matter(monkeypatch, case, filter_by):
  want = compiled(filter_by)(*CASES[case])
  monkeypatch.setattr(blocks, '_ELEMENTS', 1000)
  monkeypatch.setattr(blocks, '_ELEMENTS_OF_NUMPY', 1000)
  monkeypatch.setattr(largest_host, '_ELEMENTS', 1000)
  monkeypatch.setattr(largest_host, '_TOGETHER', 1000)
  for arrays in (CASES[case], map(jnp.asarray, CASES[case])):
    got = detection.confident_learning(*arrays, filter_by=filter_by)
    np.testing.assert_array_equal(got, want)


@every_filter
@pytest.mark.parametrize('case', ['many classes', 'two large classes'])
def test_views_of_other_arrays_are_read_as_they_are(case, filter_by):
  labels, probs = CASES[case]
  want = compiled(filter_by)(labels, probs)
  for view in (np.asfortranarray(probs), np.repeat(probs, 2, axis=1)[:, ::2]):
    got = detection.confident_learning(labels, view, filter_by=filter_by)
    np.testing.assert_array_equal(got, want)


@every_filter
def test_shards_are_one(filter_by):
  labels, probs = CASES['imbalanced']

  def function(labels, probs):
    mask = detection.confident_learning(
      labels, probs, filter_by=filter_by, axis_name='shards'
    )
    return jax.lax.all_gather(mask, 'shards', tiled=True)

  got = problems.sharded(function, labels, probs)
  np.testing.assert_array_equal(got, compiled(filter_by)(labels, probs))


def test_double_precision():
  rng = np.random.default_rng(0)
  labels, probs = CASES['random']
  probs = probs + rng.random(probs.shape) * 1e-9
  probs = probs / probs.sum(axis=1, keepdims=True)
  with jax.enable_x64(True):
    got = detection.confident_learning(labels, probs)
  np.testing.assert_array_equal(
    got, theirs(labels, probs, 'prune_by_noise_rate')
  )


@pytest.mark.parametrize('filter_by', ['prune_by_class', 'prune_by_noise_rate'])
def test_equal_examples_are_taken_together(filter_by):
  """Each row many times: cleanlab takes some of the copies, we all or none."""
  labels, probs = problems.random_problem(40, 4, seed=8)
  labels, probs = np.tile(labels, 7), np.tile(probs, (7, 1))
  got = np.asarray(compiled(filter_by)(labels, probs)).reshape(7, 40)
  np.testing.assert_array_equal(got, np.broadcast_to(got[0], got.shape))
  by_numpy = detection.confident_learning(labels, probs, filter_by=filter_by)
  np.testing.assert_array_equal(by_numpy, got.ravel())
  joint = np.asarray(
    estimation.confident_matrix(confident_counts(labels, probs))
  ).T
  want = theirs(labels, probs, filter_by, joint)
  assert (got.ravel() | ~want).all()  # No fewer than cleanlab's,
  want = want.reshape(7, 40)
  extra = got.sum() - want.sum()
  torn = want.any(axis=0) & ~want.all(axis=0)
  assert extra == (~want[:, torn]).sum()  # and more only of copies.


def test_even_predictions_are_no_evidence():
  labels = np.arange(30) % 3
  for filter_by in confident.FILTERS:
    got = compiled(filter_by)(labels, np.full((30, 3), 1 / 3, np.float32))
    assert not got.any()


def test_certain_predictions_are_taken_at_their_word():
  labels = np.arange(60) % 3
  predicted = np.where(np.arange(60) % 10 == 0, (labels + 1) % 3, labels)
  probs = np.eye(3, dtype=np.float32)[predicted]
  for filter_by in confident.FILTERS:
    got = compiled(filter_by)(labels, probs)
    np.testing.assert_array_equal(got, predicted != labels)


def test_an_unknown_filter_is_refused():
  with pytest.raises(ValueError, match='filter_by must be one of both, conf'):
    detection.confident_learning(*CASES['random'], filter_by='all')


def test_nothing_of_the_size_of_the_predictions_is_made():
  labels = jax.ShapeDtypeStruct((200_000,), jnp.int32)
  probs = jax.ShapeDtypeStruct((200_000, 50), jnp.float32)
  for filter_by in confident.FILTERS:
    memory = compiled(filter_by).lower(labels, probs).compile()
    temporary = memory.memory_analysis().temp_size_in_bytes
    assert temporary < 0.5 * 200_000 * 50 * 4, filter_by


@every_filter
def test_nothing_is_taken_where_nothing_is_wrong(filter_by):
  labels = np.arange(60) % 3
  probs = np.full((60, 3), 0.05, np.float32)
  probs[np.arange(60), labels] = 0.9
  for make in (np.asarray, jnp.asarray):
    mask = detection.confident_learning(
      make(labels), make(probs), filter_by=filter_by
    )
    assert not np.any(mask)
