"""Measures the memory of `losses.fused_linear` against the logits it avoids.

  scripts/bench.sh fused

What XLA's compiler plans for value and gradients by features and weights of the
mean loss; nothing is run. docs/benchmarks.md has the result.
"""

import argparse
from collections.abc import Callable
import functools

import jax
import jax.numpy as jnp

from experiments.bench import measure
from noisy_labels import losses

LOSSES: dict[str, Callable] = {
  'cross_entropy': losses.cross_entropy,
  'mixture_cross_entropy': functools.partial(
    losses.mixture_cross_entropy, noise_rate=0.3
  ),
  'smoothed_cross_entropy': functools.partial(
    losses.smoothed_cross_entropy, smoothing=0.1
  ),
}


def memory(head: Callable, batch: int, dim: int, classes: int, dtype: str):
  """Return XLA's memory analysis of value and gradients of a head.

  Args:
    head: `(features, weights, labels) -> losses`.
    batch: number of examples.
    dim: of the features.
    classes: number of classes.
    dtype: of features and weights.
  """

  def mean(features, weights, labels):
    return jnp.mean(head(features, weights, labels))

  return measure.compiled(
    jax.value_and_grad(mean, (0, 1)),
    jax.ShapeDtypeStruct((batch, dim), dtype),
    jax.ShapeDtypeStruct((dim, classes), dtype),
    jax.ShapeDtypeStruct((batch,), jnp.int32),
  ).memory_analysis()


def main(arguments: list[str] | None = None) -> None:
  """Print the table."""
  options = _parse(arguments)
  sizes = options.batch, options.dim, options.classes, options.dtype
  print(f'jax {jax.__version__}, {jax.devices()[0].device_kind}')
  print('batch {}, dim {}, {} classes, {}'.format(*sizes))
  print(f'{"MiB":38}{"arguments":>10}{"gradients":>10}{"temporaries":>12}')
  for name, loss in LOSSES.items():
    heads = {'logits': _unfused(loss)} | {
      f'blocks of {size}': functools.partial(
        losses.fused_linear, loss=loss, block_size=size
      )
      for size in options.block_size or (1024, 4096, 16384)
    }
    for kind, head in heads.items():
      plan = memory(head, *sizes)
      print(
        f'{name:24}{kind:14}{plan.argument_size_in_bytes / measure.MIB:10.0f}'
        f'{plan.output_size_in_bytes / measure.MIB:10.0f}'
        f'{plan.temp_size_in_bytes / measure.MIB:12.0f}',
        flush=True,
      )


def _unfused(loss: Callable) -> Callable:
  return lambda features, weights, labels: loss(features @ weights, labels)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh fused',
    description='Memory that XLA plans with and without losses.fused_linear.',
    formatter_class=argparse.ArgumentDefaultsHelpFormatter,
  )
  parser.add_argument('--batch', type=int, default=4096, help='examples')
  parser.add_argument('--dim', type=int, default=512, help='of the features')
  parser.add_argument(
    '--classes', type=int, default=128256, help='their number'
  )
  parser.add_argument(
    '--block-size',
    type=int,
    action='append',
    help='classes a block; may be repeated; without it: 1024, 4096 and 16384',
  )
  parser.add_argument(
    '--dtype',
    default='float32',
    choices=('float32', 'bfloat16', 'float16'),
    help='of features and weights',
  )
  return parser.parse_args(arguments)


if __name__ == '__main__':
  main()
