import functools

from cleanlab import filter as cleanlab_filter
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import detection
from tests.estimation import problems

LABELS, PROBS = problems.random_problem(1500, 7)


@functools.cache
def answer(filter_by='prune_by_noise_rate'):
  function = functools.partial(detection.find_label_issues, filter_by=filter_by)
  return jax.tree.map(np.asarray, jax.jit(function)(LABELS, PROBS))


@pytest.mark.parametrize('filter_by', ['prune_by_noise_rate', 'both'])
def test_issues_come_first_in_cleanlabs_order(filter_by):
  want = cleanlab_filter.find_label_issues(
    LABELS,
    PROBS,
    filter_by=filter_by,
    return_indices_ranked_by='self_confidence',
    n_jobs=1,
  )
  got = answer(filter_by)
  number = got.is_issue.sum()
  assert got.is_issue[:number].all()
  np.testing.assert_array_equal(got.index[:number], want)


def test_every_example_is_there_once():
  got = answer()
  np.testing.assert_array_equal(np.sort(got.index), np.arange(len(LABELS)))
  number = got.is_issue.sum()
  for part in (got.score[:number], got.score[number:]):
    assert (np.diff(part) <= 0).all()


def test_suggestions_are_the_most_probable_classes():
  got = answer()
  best = PROBS.argmax(axis=1)[got.index]
  np.testing.assert_array_equal(got.suggested, best)
  np.testing.assert_array_equal(got.confidence, PROBS[got.index, best])
  given = LABELS[got.index]
  assert (got.suggested != given)[got.is_issue].all()


@pytest.mark.parametrize('num_classes', [3, 80])
def test_of_equally_probable_classes_the_first_is_suggested(num_classes):
  probs = np.zeros((40, num_classes), np.float32)
  probs[:, [1, num_classes - 1]] = 0.5
  labels = np.arange(40, dtype=np.int32) % num_classes
  for array in (probs, probs.astype(np.float16), jnp.asarray(probs)):
    got = detection.find_label_issues(labels, array)
    np.testing.assert_array_equal(got.suggested, 1)
    np.testing.assert_array_equal(got.confidence, 0.5)
    assert got.confidence.dtype == got.score.dtype == jnp.float32


def test_other_scores_and_other_order():
  scores = np.random.default_rng(0).normal(size=len(LABELS))
  got = detection.find_label_issues(LABELS, PROBS, scores=scores)
  number = got.is_issue.sum()
  assert {*got.index[:number].tolist()} == {*answer().index[:number].tolist()}
  np.testing.assert_allclose(got.score, scores[got.index], rtol=1e-6)
  assert (np.diff(got.score[:number]) <= 0).all()


def test_the_expected_number_is_that_of_expected_errors():
  want = detection.expected_errors(LABELS, PROBS)
  np.testing.assert_allclose(answer().expected, want, rtol=1e-5)


def test_errors():
  with pytest.raises(ValueError, match=r'scores must have shape \[1500\]'):
    detection.find_label_issues(LABELS, PROBS, scores=np.ones(3))
  with pytest.raises(ValueError, match='scores must be finite'):
    detection.find_label_issues(LABELS, PROBS, scores=np.full(1500, np.nan))


def test_labels_may_be_any_integers():
  want = detection.find_label_issues(LABELS, PROBS)
  for kind in (np.uint8, np.uint64, np.int64):
    got = detection.find_label_issues(LABELS.astype(kind), PROBS)
    np.testing.assert_array_equal(got.index, want.index)
    assert got.expected == want.expected
