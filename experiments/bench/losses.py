"""Measures the losses against plain cross entropy.

Value and gradient of the mean loss of a batch, compiled, on whatever device jax
finds. Times on a shared machine say little, so every measurement is followed
by one of optax's cross entropy, and what counts is the median of their ratio.
Temporary memory is what XLA's compiler plans: it does not vary.

`naive` is the same loss written through softmax and one-hot labels, with
autodiff's gradient.

Times as multiples of optax's, on two CPU cores (AMD EPYC), jax 0.10.2, float32;
the second decimal moves from run to run, and at [4096, 1000] the first (for
smoothing, 0.84 to 1.2 was seen):

  [65536, 10]  logits 2.5 MiB, optax's temporaries 2.0 MiB
                                time  temp MiB  naive time  temp MiB
    cross_entropy               0.93       0.8        2.22      10.8
    clipped_cross_entropy       0.89       1.2        2.31      10.8
    mixture_cross_entropy       1.01       1.3        2.37      10.8
    smoothed_cross_entropy      1.15       1.8        2.65       8.2

  [4096, 1000]  logits 15.6 MiB, optax's temporaries 0.1 MiB
                                time  temp MiB  naive time  temp MiB
    cross_entropy               0.97       0.0        6.21      62.5
    clipped_cross_entropy       0.96       0.1        5.77      62.5
    mixture_cross_entropy       0.99       0.1        6.53      62.5
    smoothed_cross_entropy      1.16       0.1        5.44      46.9

  [512, 32000]  logits 62.5 MiB, optax's temporaries 0.0 MiB
                                time  temp MiB  naive time  temp MiB
    cross_entropy               0.92       0.0        1.92     125.0
    clipped_cross_entropy       0.96       0.0        1.68      62.5
    mixture_cross_entropy       1.00       0.0        1.94     125.0
    smoothed_cross_entropy      1.06       0.0        2.73     187.5

  [128, 128256]  logits 62.6 MiB, optax's temporaries 0.0 MiB
                                time  temp MiB  naive time  temp MiB
    cross_entropy               0.98       0.0        2.02     125.3
    clipped_cross_entropy       0.98       0.0        1.89      62.6
    mixture_cross_entropy       1.00       0.0        2.10     125.3
    smoothed_cross_entropy      0.99       0.0        2.38     187.9
"""

import argparse
from collections.abc import Callable
import functools
import pathlib
import statistics
import sys
import time

import jax
import jax.numpy as jnp
import optax

from noisy_labels import losses

SHAPES = ((65536, 10), (4096, 1000), (512, 32000), (128, 128256))
NOISE_RATE = 0.3
MAX_LOSS = 2.0
SMOOTHING = 0.1
BASELINE = optax.softmax_cross_entropy_with_integer_labels

OURS: dict[str, Callable] = {
  'cross_entropy': losses.cross_entropy,
  'clipped_cross_entropy': functools.partial(
    losses.clipped_cross_entropy, max_loss=MAX_LOSS
  ),
  'mixture_cross_entropy': functools.partial(
    losses.mixture_cross_entropy, noise_rate=NOISE_RATE
  ),
  'smoothed_cross_entropy': functools.partial(
    losses.smoothed_cross_entropy, smoothing=SMOOTHING
  ),
}


def _naive_mixture(probs, labels):
  mixed = NOISE_RATE / probs.shape[-1] + (1 - NOISE_RATE) * probs
  return -jnp.sum(labels * jnp.log(mixed), axis=-1)


def _naive_smoothed(probs, labels):
  labels = (1 - SMOOTHING) * labels + SMOOTHING / probs.shape[-1]
  return -jnp.sum(labels * jnp.log(probs), axis=-1)


# From probabilities and one-hot labels.
NAIVE: dict[str, Callable] = {
  'cross_entropy': lambda p, t: -jnp.sum(t * jnp.log(p), axis=-1),
  'clipped_cross_entropy': lambda p, t: jnp.minimum(
    -jnp.sum(t * jnp.log(p), axis=-1), MAX_LOSS
  ),
  'mixture_cross_entropy': _naive_mixture,
  'smoothed_cross_entropy': _naive_smoothed,
}


def _through_softmax(loss: Callable) -> Callable:
  def naive(logits, labels):
    one_hot = jax.nn.one_hot(labels, logits.shape[-1])
    return loss(jax.nn.softmax(logits), one_hot)

  return naive


def _compile_for(loss: Callable, logits, labels) -> Callable:
  """Return the compiled value and gradient of the mean loss."""

  def mean(logits, labels):
    return jnp.mean(loss(logits, labels))

  return jax.jit(jax.value_and_grad(mean)).lower(logits, labels).compile()


def _seconds(program: Callable, *arguments) -> float:
  start = time.perf_counter()
  jax.block_until_ready(program(*arguments))
  return time.perf_counter() - start


def _time_ratio(program, baseline, arguments, duration: float) -> float:
  """Return the median ratio of times measured in turn, for so many seconds."""
  for warm_up in (program, baseline, program, baseline):
    _seconds(warm_up, *arguments)
  ratios: list[float] = []
  end = time.perf_counter() + duration
  while time.perf_counter() < end or len(ratios) < 5:
    before = _seconds(baseline, *arguments)
    measured = _seconds(program, *arguments)
    after = _seconds(baseline, *arguments)
    ratios.append(2 * measured / (before + after))
  return statistics.median(ratios)


def _temp_mib(program) -> float:
  return program.memory_analysis().temp_size_in_bytes / 2**20


def _measure(shape: tuple[int, int], dtype: str, duration: float) -> list[str]:
  """Return the lines of the table for one shape of logits."""
  logits = 3 * jax.random.normal(jax.random.key(0), shape, dtype)
  labels = jax.random.randint(jax.random.key(1), shape[:1], 0, shape[1])
  baseline = _compile_for(BASELINE, logits, labels)
  array = logits.nbytes / 2**20
  lines = [
    f'[{shape[0]}, {shape[1]}]  logits {array:.1f} MiB, '
    f"optax's temporaries {_temp_mib(baseline):.1f} MiB",
    f'  {"":24}{"time":>8}{"temp MiB":>10}{"naive time":>12}{"temp MiB":>10}',
  ]
  for name, loss in OURS.items():
    row = f'  {name:24}'
    for candidate, widths in (
      (loss, (8, 10)),
      (_through_softmax(NAIVE[name]), (12, 10)),
    ):
      program = _compile_for(candidate, logits, labels)
      ratio = _time_ratio(program, baseline, (logits, labels), duration)
      row += f'{ratio:{widths[0]}.2f}{_temp_mib(program):{widths[1]}.1f}'
    lines.append(row)
  return lines


def _parse(arguments: list[str] | None = None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh losses',
    description='Time of value and gradient, as a multiple of '
    "optax.softmax_cross_entropy_with_integer_labels's, and XLA's temporary "
    'memory.',
  )
  parser.add_argument(
    '--shape',
    action='append',
    metavar='BATCHxCLASSES',
    type=_shape_of,
    help='of the logits, for example 4096x1000; may be repeated '
    '(default: four, from 65536x10 to 128x128256)',
  )
  parser.add_argument(
    '--dtype',
    default='float32',
    choices=('float32', 'bfloat16', 'float16'),
    help='of the logits (default: %(default)s)',
  )
  parser.add_argument(
    '--seconds',
    type=float,
    default=5.0,
    help='to spend on each number (default: %(default)s)',
  )
  parser.add_argument(
    '--output', type=pathlib.Path, help='file to write the table to as well'
  )
  return parser.parse_args(arguments)


def _shape_of(text: str) -> tuple[int, int]:
  try:
    batch, classes = (int(number) for number in text.split('x'))
  except ValueError:
    raise argparse.ArgumentTypeError(
      f'{text!r} is not like 4096x1000'
    ) from None
  return batch, classes


def main() -> None:
  """Print the table."""
  options = _parse()
  device = jax.devices()[0]
  lines = [f'jax {jax.__version__}, {device.device_kind}, {options.dtype}']
  print(lines[0])
  for shape in options.shape or SHAPES:
    table = _measure(shape, options.dtype, options.seconds)
    print('\n'.join(['', *table]))
    sys.stdout.flush()
    lines += ['', *table]
  if options.output:
    options.output.write_text('\n'.join(lines) + '\n')


if __name__ == '__main__':
  main()
