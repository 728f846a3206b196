import numpy as np
import pytest
from scipy import stats

from noisy_labels import noise

K = 4
GENERATOR = np.random.default_rng(0)
LABELS = np.tile(np.arange(K), 5000)
TRANSITIONS = np.stack(
  [
    noise.symmetric(K, 0.3, exclude_true=True),
    noise.pair_flip(K, 0.2),
    noise.random_class_dependent(K, 0.5, seed=0),
  ]
)


def test_each_annotator_follows_their_transition():
  annotations = noise.annotate(LABELS, TRANSITIONS, seed=0)
  assert annotations.shape == (len(LABELS), 3)
  assert annotations.dtype == np.int32
  for given, transition in zip(annotations.T, TRANSITIONS, strict=True):
    counts = noise.measure(LABELS, given, num_classes=K).counts
    expected = 5000 * transition
    possible = expected > 0
    assert not counts[~possible].any()
    assert (
      stats.chisquare(counts[possible], expected[possible], ddof=K - 1).pvalue
      > 1e-4
    )


def test_annotators_err_independently():
  """Of each other, and of labels corrupted with the same seed."""
  transition = noise.symmetric(K, 0.5, exclude_true=True)
  annotations = noise.annotate(LABELS, [transition] * 3, seed=2)
  corrupted = noise.corrupt(LABELS, transition, seed=2).labels
  wrong = np.column_stack([annotations, corrupted]) != LABELS[:, None]
  correlations = np.corrcoef(wrong.T)[np.triu_indices(4, 1)]
  assert np.abs(correlations).max() < 4 / np.sqrt(len(LABELS))


def test_more_annotators_change_nothing_for_the_first():
  few = noise.annotate(LABELS, TRANSITIONS[:1], seed=3)
  many = noise.annotate(LABELS, TRANSITIONS, seed=3)
  np.testing.assert_array_equal(few[:, 0], many[:, 0])


def test_shards_equal_the_whole_in_any_order():
  labels = LABELS[:300]
  whole = noise.annotate(labels, TRANSITIONS, seed=1, missing_rate=0.4)
  for part in np.array_split(GENERATOR.permutation(300), 4):
    shard = noise.annotate(
      labels[part], TRANSITIONS, seed=1, index=part, missing_rate=0.4
    )
    np.testing.assert_array_equal(shard, whole[part])


def test_missing_annotations():
  full = noise.annotate(LABELS, TRANSITIONS, seed=0)
  some = noise.annotate(LABELS, TRANSITIONS, seed=0, missing_rate=0.25)
  missing = some == -1
  error = np.sqrt(0.25 * 0.75 / missing.size)
  assert abs(missing.mean() - 0.25) < 4 * error
  np.testing.assert_array_equal(some[~missing], full[~missing])
  # What is missing does not depend on what would have been given.
  wrong = full != LABELS[:, None]
  assert abs(np.corrcoef(missing.ravel(), wrong.ravel())[0, 1]) < 0.02
  nobody = noise.annotate(LABELS, TRANSITIONS, seed=0, missing_rate=1)
  assert (nobody == -1).all()


def test_majority_by_hand():
  annotations = [[0, 1, 1], [2, 2, -1], [-1, 0, -1], [3, 3, 3]]
  majority = noise.majority_vote(annotations, num_classes=4, seed=0)
  np.testing.assert_array_equal(majority, [1, 2, 0, 3])
  assert majority.dtype == np.int32


def test_majority_of_one_annotator_is_the_annotation():
  annotations = noise.annotate(LABELS, TRANSITIONS[2:], seed=0)
  majority = noise.majority_vote(annotations, num_classes=K, seed=0)
  np.testing.assert_array_equal(majority, annotations[:, 0])


def test_ties_are_decided_evenly_by_index():
  annotations = np.tile([0, 2, 3, 2, 0, 3, 1], (9000, 1))
  majority = noise.majority_vote(annotations, num_classes=5, seed=1)
  counts = np.bincount(majority, minlength=5)
  assert counts[[1, 4]].sum() == 0
  assert stats.chisquare(counts[[0, 2, 3]]).pvalue > 1e-4
  part = GENERATOR.permutation(9000)[:100]
  np.testing.assert_array_equal(
    noise.majority_vote(annotations[part], num_classes=5, seed=1, index=part),
    majority[part],
  )


def test_ties_do_not_depend_on_what_was_drawn_with_the_same_seed():
  even = np.full((K, K), 1 / K)
  annotations = noise.annotate(LABELS, [even, even], seed=0)
  tied = annotations[:, 0] != annotations[:, 1]
  majority = noise.majority_vote(annotations, num_classes=K, seed=0)
  first = np.mean(majority[tied] == annotations[tied, 0])
  assert abs(first - 0.5) < 4 * np.sqrt(0.25 / tied.sum())


def test_majority_errs_as_the_binomial_says():
  """Three annotators, two classes: wrong if two or three of them are."""
  labels = np.tile([0, 1], 20_000)
  transition = noise.symmetric(2, 0.3, exclude_true=True)
  annotations = noise.annotate(labels, [transition] * 3, seed=0)
  majority = noise.majority_vote(annotations, num_classes=2, seed=0)
  expected = stats.binom.sf(1, 3, 0.3)
  rate = noise.measure(labels, majority, num_classes=2).rate
  assert abs(rate - expected) < 4 * np.sqrt(expected / len(labels))


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'transitions': np.eye(K)}, r'transitions must have shape \[A, K, K\]'),
    ({'transitions': 2 * TRANSITIONS}, r'rows of transitions\[0\] must sum'),
    ({'transitions': TRANSITIONS[:, :, :3]}, r'transitions\[0\] must be a squ'),
    ({'labels': [K]}, r'labels must be in 0\.\.3, got 4'),
    ({'missing_rate': 1.1}, r'missing_rate must be in \[0, 1\], got 1.1'),
    ({'index': [0, 1]}, r'index must have the shape of labels \(1,\)'),
  ],
)
def test_annotate_rejects_bad_arguments(changes, message):
  arguments = {'labels': [0], 'transitions': TRANSITIONS, 'seed': 0, **changes}
  labels, matrices = arguments.pop('labels'), arguments.pop('transitions')
  with pytest.raises(ValueError, match=message):
    noise.annotate(labels, matrices, **arguments)


@pytest.mark.parametrize(
  ('annotations', 'message'),
  [
    ([0, 1], r'annotations must have shape \[N, A\], got \(2,\)'),
    ([[0, 4]], r'annotations must be in 0\.\.3, or -1 where it is missing'),
    ([[0, -2]], r'or -1 where it is missing, got -2 at position 1'),
    ([[0.0]], 'annotations must be integers'),
    ([[0], [-1]], 'a label for each example, got none at position 1'),
  ],
)
def test_majority_rejects_bad_annotations(annotations, message):
  with pytest.raises(ValueError, match=message):
    noise.majority_vote(annotations, num_classes=K, seed=0)
