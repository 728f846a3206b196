"""What methods share that select: which epoch it is."""

import numpy as np
import pytest

from noisy_labels.methods import selection
from tests.methods import tiny_training


@pytest.mark.parametrize('epoch', [0, 1, 10])
def test_examples_that_an_epoch_left_out_do_not_hold_it_up(epoch):
  memory = selection.init(None, tiny_training.NUM_EXAMPLES, 3).memory
  visits = np.full(tiny_training.NUM_EXAMPLES, epoch)
  visits[[1, 4]] = max(epoch - 1, 0)
  memory = memory._replace(visits=visits)
  batch = tiny_training.batch_of(range(6))
  assert selection.epoch_of(memory, batch) == epoch
  # Padding has been seen as often as its place, which is no matter.
  mask = np.array([1, 0, 1, 1, 0, 1])
  batch = tiny_training.batch_of(range(6), mask=mask)
  assert selection.epoch_of(memory, batch) == epoch
