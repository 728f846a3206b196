"""What is no array is refused in one line, whatever asks for it."""

import numpy as np
import pytest

from noisy_labels import detection
from noisy_labels import estimation

LABELS = [0, 1, 1]
PROBS = np.full((3, 2), 0.5)


@pytest.mark.parametrize(
  ('function', 'name'),
  [
    (lambda: detection.self_confidence(LABELS, PROBS), 'labels'),
    (lambda: detection.find_label_issues(LABELS, PROBS), 'labels'),
    (lambda: detection.conflicting_duplicates(PROBS, LABELS), 'labels'),
    (lambda: detection.out_of_distribution(PROBS.tolist(), k=1), 'features'),
    (
      lambda: detection.find_label_issues(
        np.array(LABELS), PROBS, scores=[0.1, 0.2, 3.0]
      ),
      'scores',
    ),
    (lambda: estimation.confident_joint(LABELS, PROBS), 'labels'),
    (
      lambda: estimation.confident_joint(np.array(LABELS), PROBS.tolist()),
      'probs',
    ),
    (
      lambda: estimation.confident_joint(
        np.array(LABELS), PROBS, weights=[1, 1, 1]
      ),
      'weights',
    ),
  ],
)
def test_lists_are_no_arrays(function, name):
  with pytest.raises(ValueError, match=f'^{name} must be an array, got list'):
    function()
