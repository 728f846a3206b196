"""Which example goes to which device, and when: pure functions of the seed.

A training set is cut, in index order, into `batch_size` lanes of almost equal
length, and every step takes one example from each lane. A device owns equally
many neighbouring lanes. So the examples of a device are one contiguous range,
dealt once and never moved, while the batches are the same whatever the number
of devices and processes.
"""

from typing import NamedTuple

import numpy as np

from experiments import errors
from noisy_labels import noise

# Streams of random numbers per (seed, index); labels are corrupted by stream 0.
_HOLD_OUT = 1
_SHUFFLE = 2
# Apart from those of the epochs, and of folds.py.
_TRUSTED = 2**30 + 1
_TAKE_PART = 2**30 + 2


class Deal(NamedTuple):
  """How `num_examples` are dealt to devices.

  Attributes:
    num_examples: how many there are to deal.
    num_devices: how many devices there are in all processes together.
    num_lanes: how many examples a step takes.
  """

  num_examples: int
  num_devices: int
  num_lanes: int

  @property
  def steps(self) -> int:
    """Steps an epoch. At most `num_lanes - 1` examples wait for the next."""
    return self.num_examples // self.num_lanes

  @property
  def rows(self) -> int:
    """Room for examples that every device needs."""
    return max(np.diff(self.bounds(self.num_devices)), default=0)

  def bounds(self, parts: int) -> np.ndarray:
    """Where each of `parts` equal shares begins, and the end: `[parts + 1]`."""
    return np.arange(parts + 1) * self.num_examples // parts


def hold_out(
  num_examples: int, fraction: float, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
  """Splits `0..num_examples - 1` at random, by (seed, index).

  Args:
    num_examples: how many there are.
    fraction: the share that is held out, in [0, 1).
    seed: a non-negative integer.

  Returns:
    The indices kept and the indices held out, each in ascending order.
  """
  index = np.arange(num_examples)
  order = np.argsort(
    noise.uniform(seed, index, stream=_HOLD_OUT), kind='stable'
  )
  cut = round(num_examples * fraction)
  return np.sort(order[cut:]), np.sort(order[:cut])


def take_part(num_examples: int, number: int, *, seed: int) -> np.ndarray:
  """A random part of `0..num_examples - 1`, which any larger part contains.

  Args:
    num_examples: how many there are.
    number: how many take part; 0 for all.
    seed: a non-negative integer.

  Returns:
    The indices of those that take part, in ascending order.

  Raises:
    UsageError: there are not as many.
  """
  index = np.arange(num_examples)
  if not number:
    return index
  if number > num_examples:
    raise errors.UsageError(
      f'config.num_examples={number} is more than the {num_examples} training '
      'examples that there are: 0 takes all'
    )
  uniform = noise.uniform(seed, index, stream=_TAKE_PART)
  return np.sort(np.argsort(uniform, kind='stable')[:number])


def choose_trusted(index: np.ndarray, number: int, *, seed: int) -> np.ndarray:
  """Which of some examples have labels that are known to be right, at random.

  Args:
    index: the identities of the training examples.
    number: how many to choose of them.
    seed: a non-negative integer.

  Returns:
    The identities of the chosen.

  Raises:
    UsageError: there are not as many.
  """
  if not 0 <= number <= len(index):
    raise errors.UsageError(
      f'config.num_trusted={number} is not in 0..{len(index)}, the number of '
      'training examples'
    )
  uniform = noise.uniform(seed, index, stream=_TRUSTED)
  return index[np.argsort(uniform, kind='stable')[:number]]


def epoch_rows(
  index: np.ndarray,
  deal: Deal,
  *,
  devices: range,
  seed: int,
  epoch: int,
) -> np.ndarray:
  """The rows that each device takes in each step of one epoch.

  Args:
    index: identities of the examples of these devices, in row order.
    deal: how examples are dealt.
    devices: the global numbers of this process's devices, consecutive.
    seed: a non-negative integer.
    epoch: which epoch, from 0.

  Returns:
    `[steps, len(devices), num_lanes / num_devices]`, int32: places within the
    device's own rows.
  """
  per_device = deal.num_lanes // deal.num_devices
  lanes = deal.bounds(deal.num_lanes)
  lanes = lanes[devices.start * per_device : devices.stop * per_device + 1]
  lanes = lanes - lanes[0]
  lengths = np.diff(lanes)
  lane_of = np.repeat(np.arange(len(lengths)), lengths)
  shuffle = noise.uniform(seed, index, stream=_SHUFFLE + epoch)
  order = np.lexsort((shuffle, lane_of))
  chosen = order[lanes[:-1, None] + np.arange(deal.steps)]
  starts = deal.bounds(deal.num_devices)[devices.start : devices.stop]
  starts = np.repeat(starts - starts[0], per_device)
  rows = (chosen - starts[:, None]).T
  return rows.reshape((deal.steps, len(devices), per_device)).astype(np.int32)
