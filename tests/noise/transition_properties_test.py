from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
import numpy as np
import pytest

from noisy_labels import noise


@settings(deadline=None)
@given(num_classes=st.integers(2, 30), rate=st.floats(0, 1))
def test_rate_of_symmetric_noise_under_both_conventions(num_classes, rate):
  def made(exclude_true):
    return noise.properties(
      noise.symmetric(num_classes, rate, exclude_true=exclude_true)
    ).rate

  np.testing.assert_allclose(made(True), rate, atol=1e-14)
  np.testing.assert_allclose(
    made(False), rate * (1 - 1 / num_classes), atol=1e-14
  )


def test_rate_weighs_classes_by_their_prior():
  transition = [[0.9, 0.1], [0.4, 0.6]]
  rate = noise.properties(transition, class_prior=[0.75, 0.25]).rate
  np.testing.assert_allclose(rate, 0.75 * 0.1 + 0.25 * 0.4)


@settings(deadline=None)
@given(rate=st.floats(0, 0.74), exclude_true=st.booleans())
def test_condition_number_of_symmetric_noise(rate, exclude_true):
  """The eigenvalues are 1 and 1 - e, with e redrawn over all classes."""
  K = 4
  e = rate * K / (K - 1) if exclude_true else rate
  found = noise.properties(noise.symmetric(K, rate, exclude_true=exclude_true))
  np.testing.assert_allclose(found.condition_number, 1 / (1 - e), rtol=1e-9)
  assert found.invertible
  assert found.diagonally_dominant
  assert found.identifiable


@pytest.mark.parametrize(
  ('transition', 'invertible', 'dominant'),
  [
    (np.eye(3), True, True),
    (np.full((3, 3), 1 / 3), False, False),
    # Even shares between two classes are information, but no majority.
    ([[0.5, 0.5, 0], [0, 0.5, 0.5], [0.5, 0, 0.5]], True, False),
    # Every label is wrong, and all are known again.
    ([[0, 1], [1, 0]], True, False),
    # Classes 1 and 2 are given alike.
    ([[1, 0, 0], [0, 0.5, 0.5], [0, 0.5, 0.5]], False, False),
    # Dominant though the others together weigh more than the diagonal.
    (noise.symmetric(10, 0.8, exclude_true=True), True, True),
    # Dominant, but (1, -1, 1, -1) is lost: 0.4 - 0.3 + 0.1 - 0.2 = 0.
    (
      [
        [0.4, 0.3, 0.1, 0.2],
        [0.2, 0.4, 0.3, 0.1],
        [0.1, 0.2, 0.4, 0.3],
        [0.3, 0.1, 0.2, 0.4],
      ],
      False,
      True,
    ),
  ],
)
def test_by_hand(transition, invertible, dominant):
  found = noise.properties(transition)
  assert found.invertible == invertible
  assert found.diagonally_dominant == dominant
  assert found.identifiable == (invertible and dominant)
  assert np.isfinite(found.condition_number) == invertible


def test_pair_flip_stops_being_dominant_at_a_half():
  for rate in (0.0, 0.45, 0.5, 0.6):
    found = noise.properties(noise.pair_flip(10, rate))
    assert found.diagonally_dominant == (rate < 0.5)
  # K even: the eigenvalue (1 - r) - r is zero.
  assert not noise.properties(noise.pair_flip(10, 0.5)).invertible
  assert noise.properties(noise.pair_flip(9, 0.5)).invertible


def test_fields_are_plain_numbers():
  found = noise.properties(np.eye(2, dtype=np.float32))
  assert [type(value) for value in found] == [float, bool, float, bool, bool]


@pytest.mark.parametrize(
  ('prior', 'message'),
  [
    ([1.0], r'class_prior must have shape \(2,\), got \(1,\)'),
    ([0.5, 0.6], 'class_prior must hold numbers of at least 0 that sum to 1'),
    ([1.5, -0.5], 'class_prior must hold numbers of at least 0 that sum to 1'),
    ([np.nan, 1], 'class_prior must hold numbers of at least 0 that sum to 1'),
  ],
)
def test_rejects_bad_priors(prior, message):
  with pytest.raises(ValueError, match=message):
    noise.properties(np.eye(2), class_prior=prior)


def test_rejects_what_is_no_transition():
  with pytest.raises(ValueError, match='rows of transition must sum to 1'):
    noise.properties([[1, 1], [0, 1]])
