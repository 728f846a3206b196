import os
import subprocess
import sys

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from jax.extend import random as jax_random
import numpy as np
import pytest
from scipy import stats

from noisy_labels import noise
from noisy_labels.noise import counter

# Random123's kat_vectors for threefry2x32-20: counter, key, result.
KNOWN_ANSWERS = [
  ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
  ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0x1CB996FC, 0xBB002BE7)),
  (
    (0x243F6A88, 0x85A308D3),
    (0x13198A2E, 0x03707344),
    (0xC4923A9C, 0x483DF7A0),
  ),
]
# Computed once. A difference means that the labels of past runs are lost.
GOLDEN = [
  (0, 0, 0, 0.41845711022987275),
  (0, 0, 1, 0.3146817218764961),
  (0, 0, 2**40, 0.019960483002128604),
  (7, 2, 3, 0.3148838062772318),
]
words = st.integers(0, 2**32 - 1)
indices = st.lists(st.integers(0, 2**64 - 1), max_size=20)


def encrypt(key, count):
  words = [np.array([word], np.uint32) for word in count]
  first, second = counter._threefry_2x32(key, (words[0], words[1]))
  return int(first[0]), int(second[0])


@pytest.mark.parametrize(('count', 'key', 'result'), KNOWN_ANSWERS)
def test_cipher_gives_the_published_answers(count, key, result):
  assert encrypt(key, count) == result


@settings(deadline=None)  # JAX compiles in the first call.
@given(key=st.tuples(words, words), count=st.tuples(words, words))
def test_cipher_agrees_with_jax(key, count):
  expected = jax_random.threefry_2x32(
    np.array(key, np.uint32), np.array(count, np.uint32)
  )
  assert encrypt(key, count) == tuple(expected.tolist())


@pytest.mark.parametrize(('seed', 'stream', 'index', 'expected'), GOLDEN)
def test_numbers_never_change(seed, stream, index, expected):
  assert noise.uniform(seed, index, stream=stream) == expected


def test_another_process_draws_the_same():
  code = (
    'from noisy_labels import noise; '
    'print(noise.uniform(5, range(50), stream=1).tobytes().hex())'
  )
  results = {
    subprocess.run(
      [sys.executable, '-c', code],
      env={**os.environ, 'PYTHONHASHSEED': hash_seed},
      capture_output=True,
      check=True,
      text=True,
    ).stdout.strip()
    for hash_seed in ('1', '2')
  }
  assert results == {noise.uniform(5, range(50), stream=1).tobytes().hex()}


@given(seed=words, stream=words, index=indices)
def test_each_number_depends_on_its_own_index(seed, stream, index):
  index = np.array(index, np.uint64)
  together = noise.uniform(seed, index, stream=stream)
  alone = [noise.uniform(seed, i, stream=stream) for i in index]
  np.testing.assert_array_equal(together, np.array(alone, np.float64))


def test_shape_and_dtype_of_index_do_not_matter():
  index = np.arange(12)
  expected = noise.uniform(3, index)
  for dtype in (np.int8, np.uint16, np.int32, np.uint64):
    np.testing.assert_array_equal(
      noise.uniform(3, index.astype(dtype)), expected
    )
  np.testing.assert_array_equal(
    noise.uniform(3, index.reshape(3, 4)), expected.reshape(3, 4)
  )
  assert noise.uniform(3, 0).shape == ()
  assert noise.uniform(3, []).shape == (0,)
  assert expected.dtype == np.float64


@pytest.mark.parametrize(('seed', 'stream'), [(0, 0), (0, 1), (1, 0), (9, 9)])
def test_numbers_are_uniform(seed, stream):
  numbers = noise.uniform(seed, np.arange(100_000), stream=stream)
  assert numbers.min() >= 0
  assert numbers.max() < 1
  assert stats.kstest(numbers, 'uniform').pvalue > 1e-3
  # Neighbours are unrelated: a counter is not a sequence.
  cells = np.histogram2d(numbers[:-1], numbers[1:], bins=10)[0]
  assert stats.chisquare(cells.reshape(-1)).pvalue > 1e-3


def test_seeds_and_streams_are_independent():
  index = np.arange(50_000)
  draws = [
    noise.uniform(seed, index, stream=stream)
    for seed, stream in ((0, 0), (1, 0), (0, 1), (1, 1))
  ]
  correlations = np.corrcoef(draws)[np.triu_indices(4, 1)]
  assert np.abs(correlations).max() < 4 / np.sqrt(len(index))


@pytest.mark.parametrize('bad', [-1, 2**32, 1.0, '1', None, True])
@pytest.mark.parametrize('name', ['seed', 'stream'])
def test_rejects_keys_out_of_range(name, bad):
  with pytest.raises(ValueError, match=rf'^{name} must be an integer in'):
    noise.uniform(**{'seed': 0, 'index': 0, name: bad})


def test_rejects_bad_index():
  with pytest.raises(ValueError, match='got -5 at position 2'):
    noise.uniform(0, [4, 0, -5])
  with pytest.raises(ValueError, match='integers, got dtype float64'):
    noise.uniform(0, [0.0])
  with pytest.raises(ValueError, match='integers, got dtype bool'):
    noise.uniform(0, [True])
