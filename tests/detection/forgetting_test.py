import numpy as np
import pytest

from noisy_labels import detection


def test_events_are_counted():
  columns = ['0000', '1111', '0111', '1010', '1011', '0001', '1000', '0101']
  correct = np.array([[c == '1' for c in column] for column in columns]).T
  got = detection.forgetting_events(correct)
  np.testing.assert_array_equal(got, [4, 0, 0, 2, 1, 0, 1, 1])
  assert got.dtype == np.int32


def test_one_epoch():
  got = detection.forgetting_events(np.array([[True, False]]))
  np.testing.assert_array_equal(got, [0, 1])


@pytest.mark.parametrize(
  'correct',
  [np.ones(3, bool), np.ones((2, 3)), np.ones((0, 3), bool), [[True]]],
)
def test_errors(correct):
  with pytest.raises(ValueError, match='correct must be a bool array'):
    detection.forgetting_events(correct)
