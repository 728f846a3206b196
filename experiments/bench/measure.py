"""Times and memory of compiled programs.

Times on a shared machine say little, so they are taken in turn with a
baseline's and only their ratio is used.
"""

from collections.abc import Callable
import statistics
import time
from typing import Any
from typing import NamedTuple

import jax
import jax.numpy as jnp

MIB = 2**20
_REPEATS = 5  # At least, however long it takes.


class Ratio(NamedTuple):
  """Median of the ratios of times to the baseline's, measured in turn.

  baseline: the median of the baseline's times, in seconds.
  """

  ratio: float
  baseline: float


def value_and_grad(loss: Callable, logits, labels) -> Callable:
  """Return the compiled value and gradient of the mean loss."""

  def mean(logits, labels):
    return jnp.mean(loss(logits, labels))

  return compiled(jax.value_and_grad(mean), logits, labels)


def compiled(function: Callable, *arguments) -> Any:
  """Return the function compiled for such arguments, or for their shapes."""
  return jax.jit(function).lower(*arguments).compile()


def three_passes(logits, labels) -> Callable:
  """Return a compiled program that reads logits, reads them again and writes.

  Value and gradient of a loss can do no less, for an example's gradient depends
  on all of its logits.
  """

  def centre(logits, labels):
    del labels
    return logits - jnp.max(logits, axis=-1, keepdims=True)

  return compiled(centre, logits, labels)


def product(logits, labels) -> Callable:
  """Return a compiled product of logits with a matrix of classes by classes."""

  def multiply(logits, labels):
    del labels
    return logits @ jnp.eye(logits.shape[-1], dtype=logits.dtype)

  return compiled(multiply, logits, labels)


def ratio(
  program: Callable, baseline: Callable, arguments: tuple, duration: float
) -> Ratio:
  """Measure a program and a baseline in turn, for so many seconds."""
  for warm_up in (program, baseline, program, baseline):
    seconds(warm_up, *arguments)
  ratios: list[float] = []
  baselines: list[float] = []
  end = time.perf_counter() + duration
  while time.perf_counter() < end or len(ratios) < _REPEATS:
    before = seconds(baseline, *arguments)
    measured = seconds(program, *arguments)
    after = seconds(baseline, *arguments)
    ratios.append(2 * measured / (before + after))
    baselines.append(before)
  return Ratio(statistics.median(ratios), statistics.median(baselines))


def seconds(program: Callable, *arguments) -> float:
  """Return the time of one call, until its results are there."""
  start = time.perf_counter()
  jax.block_until_ready(program(*arguments))
  return time.perf_counter() - start


def temporary_mib(program) -> float:
  """Return what XLA's compiler plans beside arguments and results."""
  return program.memory_analysis().temp_size_in_bytes / MIB
