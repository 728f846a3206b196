"""Random numbers that are a function of (seed, stream, index) alone.

A generator with a state gives an example a number that depends on how many
were drawn before it: on the order, the shard and the host. A counter-based one
encrypts the example's index under the seed, so every process finds the same
number for the same example without talking to another.

It is written in integer numpy, rather than drawn from `jax.random` or
`numpy.random`, because the labels of an experiment must not change with a
library's version, a flag or a device.
"""

from collections.abc import Iterator
import operator

import numpy as np
import numpy.typing as npt

_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = 0x1BD11BDA
_WORD = 2**32


def uniform(
  seed: int, index: npt.ArrayLike, *, stream: int = 0
) -> npt.NDArray[np.float64]:
  """One uniform number in [0, 1) per index, whatever the order or the shard.

  Threefry-2x32 with 20 rounds encrypts the counter `index` under the key
  `(seed, stream)`; 53 of the 64 bits that come out fill a float64.

  Args:
    seed: An integer in [0, 2**32).
    index: Non-negative integers `[...]`, of any shape: the identities of the
      examples.
    stream: An integer in [0, 2**32). Streams of one seed are independent, so
      that label flips, a hold-out split and a shuffle can share a seed.

  Returns:
    float64 `[...]`.

  Raises:
    ValueError: If an argument is negative, too large or not an integer.

  References:
    Salmon et al., `Parallel Random Numbers: As Easy as 1, 2, 3
    <https://doi.org/10.1145/2063384.2063405>`_, 2011
  """
  key = (_key_word('seed', seed), _key_word('stream', stream))
  counter = _check_index(index)
  flat = counter.reshape(-1)
  high = (flat >> np.uint64(32)).astype(np.uint32)
  low = (flat & np.uint64(_WORD - 1)).astype(np.uint32)
  first, second = _threefry_2x32(key, (low, high))
  # The usual 27 + 26 bits: every value is a multiple of 2**-53, exactly.
  bits = (first >> np.uint32(5)) * 2.0**26 + (second >> np.uint32(6))
  return (bits * 2.0**-53).reshape(counter.shape)


def _threefry_2x32(
  key: tuple[int, int],
  counter: tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]],
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
  """Encrypts pairs of words `[n]`, `[n]`; the sums wrap on purpose."""
  subkeys = [*key, key[0] ^ key[1] ^ _PARITY]
  first = counter[0] + np.uint32(subkeys[0])
  second = counter[1] + np.uint32(subkeys[1])
  for group, rotations in enumerate(_rotation_groups(), start=1):
    for rotation in rotations:
      first = first + second
      second = _rotate_left(second, rotation) ^ first
    first = first + np.uint32(subkeys[group % 3])
    second = second + np.uint32((subkeys[(group + 1) % 3] + group) % _WORD)
  return first, second


def _rotation_groups() -> Iterator[tuple[int, ...]]:
  """Twenty rounds in five groups of four; a subkey follows each group."""
  for group in range(5):
    yield _ROTATIONS[4:] if group % 2 else _ROTATIONS[:4]


def _rotate_left(
  words: npt.NDArray[np.uint32], bits: int
) -> npt.NDArray[np.uint32]:
  return (words << np.uint32(bits)) | (words >> np.uint32(32 - bits))


def _key_word(name: str, value: int) -> int:
  try:
    word = operator.index(value)
  except TypeError:
    word = -1
  if isinstance(value, bool) or not 0 <= word < _WORD:
    raise ValueError(f'{name} must be an integer in [0, 2**32), got {value!r}')
  return word


def _check_index(index: npt.ArrayLike) -> npt.NDArray[np.uint64]:
  array = np.asarray(index)
  if array.size == 0:
    return np.zeros(array.shape, np.uint64)
  if array.dtype.kind not in 'iu':
    raise ValueError(f'index must hold integers, got dtype {array.dtype}')
  if array.dtype.kind == 'i' and array.min() < 0:
    place = int(np.argmax(array.reshape(-1) < 0))
    raise ValueError(
      'index must not be negative, got '
      f'{int(array.reshape(-1)[place])} at position {place}'
    )
  return array.astype(np.uint64)
