from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from noisy_labels import noise

K = 3
TRANSITIONS = np.array(
  [
    [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]],
    [[0.6, 0.4, 0.0], [0.1, 0.9, 0.0], [0.1, 0.2, 0.7]],
    [[0.7, 0.1, 0.2], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6]],
    [[0.9, 0.0, 0.1], [0.3, 0.6, 0.1], [0.1, 0.1, 0.8]],
  ]
)
PRIOR = np.array([0.5, 0.3, 0.2])
LABELS = np.random.default_rng(0).choice(K, 20_000, p=PRIOR)


def likelihood(annotations, prior, transitions):
  """The log-likelihood without logarithms or sparsity: for small examples."""
  total = 0.0
  for row in annotations:
    joint = np.array(prior)
    for annotator, label in enumerate(row):
      if label >= 0:
        joint = joint * transitions[annotator][:, label]
    total += np.log(joint.sum())
  return total


@pytest.mark.parametrize('missing_rate', [0.0, 0.3])
def test_recovers_prior_transitions_and_labels(missing_rate):
  annotations = noise.annotate(
    LABELS, TRANSITIONS, seed=0, missing_rate=missing_rate
  )
  found = noise.dawid_skene(annotations, num_classes=K)
  assert found.converged
  np.testing.assert_allclose(found.transitions, TRANSITIONS, atol=0.06)
  np.testing.assert_allclose(found.prior, PRIOR, atol=0.03)
  accuracy = np.mean(found.posterior.argmax(axis=1) == LABELS)
  # Nobody who knows the truth about the annotators could do better.
  knowing = best_posterior(annotations)
  assert accuracy > np.mean(knowing.argmax(axis=1) == LABELS) - 0.005
  majority = noise.measure(
    LABELS[annotations.max(axis=1) >= 0],
    noise.majority_vote(
      annotations[annotations.max(axis=1) >= 0], num_classes=K, seed=0
    ),
    num_classes=K,
  )
  assert accuracy > 1 - majority.rate


def best_posterior(annotations):
  joint = np.tile(PRIOR, (len(annotations), 1))
  for annotator, labels in enumerate(annotations.T):
    columns = TRANSITIONS[annotator].T[np.maximum(labels, 0)]
    joint = joint * np.where(labels[:, None] >= 0, columns, 1)
  return joint / joint.sum(axis=1, keepdims=True)


@settings(deadline=None)
@given(data=st.data())
def test_likelihood_never_falls_and_is_what_it_says(data):
  N, A = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 4)))
  labels = st.lists(st.integers(-1, 2), min_size=A, max_size=A)
  annotations = np.array(data.draw(st.lists(labels, min_size=N, max_size=N)))
  annotations[0, 0] = max(annotations[0, 0], 0)
  steps = data.draw(st.integers(1, 20))
  found = noise.dawid_skene(
    annotations, num_classes=K, max_steps=steps, tolerance=0
  )
  assert (np.diff(found.log_likelihoods) >= -1e-9).all()
  np.testing.assert_allclose(
    found.log_likelihoods[-1],
    likelihood(annotations, found.prior, found.transitions),
    atol=1e-9,
  )
  np.testing.assert_allclose(found.posterior.sum(axis=1), 1)
  np.testing.assert_allclose(found.prior.sum(), 1)
  for matrix in found.transitions:
    noise.check_transition(matrix)


def test_one_step_by_hand():
  """Two annotators: they agree on example 0, differ on example 1."""
  found = noise.dawid_skene([[0, 0], [0, 1]], num_classes=2, max_steps=1)
  # From shares of votes [1, 0] and [1/2, 1/2].
  np.testing.assert_allclose(found.prior, [0.75, 0.25])
  np.testing.assert_allclose(
    found.transitions, [[[1, 0], [1, 0]], [[2 / 3, 1 / 3], [0, 1]]]
  )
  # P(0, 0) = 3/4 * 2/3 + 1/4 * 0, and P(0, 1) = 3/4 * 1/3 + 1/4 * 1.
  np.testing.assert_allclose(found.log_likelihoods, [2 * np.log(0.5)])
  np.testing.assert_allclose(found.posterior, [[1, 0], [0.5, 0.5]])
  assert not found.converged


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1))
def test_one_annotation_an_example_is_believed(pairs):
  annotations = np.full((len(pairs), 5), -1)
  for n, (annotator, label) in enumerate(pairs):
    annotations[n, annotator] = label
  found = noise.dawid_skene(annotations, num_classes=K)
  labels = np.array([label for _, label in pairs])
  np.testing.assert_array_equal(found.posterior, np.eye(K)[labels])
  np.testing.assert_allclose(
    found.prior, np.bincount(labels, minlength=K) / len(labels)
  )
  assert found.converged


def test_order_of_examples_does_not_matter():
  annotations = noise.annotate(LABELS[:500], TRANSITIONS, seed=1)
  order = np.random.default_rng(0).permutation(500)
  found = noise.dawid_skene(annotations, num_classes=K, max_steps=30)
  other = noise.dawid_skene(annotations[order], num_classes=K, max_steps=30)
  np.testing.assert_allclose(other.posterior, found.posterior[order], atol=1e-9)
  np.testing.assert_allclose(other.transitions, found.transitions, atol=1e-9)


def test_examples_without_annotations_have_the_prior():
  annotations = [[0, 0, 0], [-1, -1, -1], [1, 1, 1], [0, 0, 0]]
  found = noise.dawid_skene(annotations, num_classes=2)
  np.testing.assert_allclose(found.posterior[1], found.prior)
  np.testing.assert_allclose(found.prior, [2 / 3, 1 / 3], atol=1e-5)


def test_unseen_classes_have_rows_of_the_identity():
  found = noise.dawid_skene([[0, 0], [1, 1]], num_classes=4)
  np.testing.assert_array_equal(found.prior, [0.5, 0.5, 0, 0])
  np.testing.assert_array_equal(found.transitions, [np.eye(4)] * 2)
  np.testing.assert_array_equal(found.posterior, np.eye(4)[:2])


def test_many_annotators_do_not_underflow():
  """What 2000 annotators say is too improbable for float64: exp(-1000)."""
  labels = np.tile([0, 1], 20)
  transition = noise.symmetric(2, 0.2, exclude_true=True)
  annotations = noise.annotate(labels, [transition] * 40, seed=0)
  found = noise.dawid_skene(np.tile(annotations, 50), num_classes=2)
  np.testing.assert_array_equal(found.posterior.argmax(axis=1), labels)
  assert found.log_likelihoods[-1] < -900 * len(labels)


def test_stops_at_max_steps():
  annotations = noise.annotate(LABELS[:200], TRANSITIONS, seed=1)
  counts = [
    len(
      noise.dawid_skene(
        annotations, num_classes=K, max_steps=steps, tolerance=0
      ).log_likelihoods
    )
    for steps in (1, 3)
  ]
  assert counts == [1, 3]


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'annotations': [0]}, r'annotations must have shape \[N, A\], got \(1,\)'),
    ({'annotations': [[3]]}, r'annotations must be in 0\.\.2, or -1'),
    ({'annotations': [[-1, -1]]}, 'annotations must hold at least one label'),
    ({'max_steps': 0}, 'max_steps must be at least 1, got 0'),
    ({'num_classes': 2.5}, 'num_classes must be an integer, got 2.5'),
    ({'tolerance': -1.0}, 'tolerance must be at least 0, got -1.0'),
  ],
)
def test_rejects_bad_arguments(changes, message):
  arguments = {'annotations': [[0]], 'num_classes': K, **changes}
  with pytest.raises(ValueError, match=message):
    noise.dawid_skene(arguments.pop('annotations'), **arguments)
