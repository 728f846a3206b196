"""Measures a training step of every method against that of cross entropy.

  scripts/bench.sh methods

Whole steps as `experiments.main` takes them, of random images, state and memory
donated; docs/benchmarks.md has the result.
"""

import argparse
from collections.abc import Callable
import functools
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import optax

from experiments import build
from experiments import devices
from experiments import models
from experiments import named_losses
from experiments import train
from experiments.bench import measure
from experiments.configs import mnist_methods
from experiments.data import augment
from experiments.data import dataset
from noisy_labels import losses
from noisy_labels import methods
from noisy_labels import noise

NUM_CLASSES = 10
LEGEND = """\
time: a multiple of that of cross entropy's step, measured in turn
more: milliseconds of a step beyond cross entropy's for each network
per network: the same, divided by the number of networks
bytes: of memory for each example; parameters: that the method trains itself"""


def main(arguments: list[str] | None = None) -> None:
  """Print the table."""
  options = _parse(arguments)
  device = jax.devices()[0].device_kind
  print(
    f'jax {jax.__version__}, {device}, {options.model}, batch {options.batch}'
  )
  print(LEGEND)
  changes = entries(options.model)
  baseline = _Step(changes['stateless'], options)
  print(f'\n{"":36}   time  per network     more  bytes  parameters')
  for name in options.methods or changes:
    found = _Step(changes[name], options)
    taken = measure.ratio(found, baseline, (), options.seconds)
    networks = found.method.num_networks
    each = taken.ratio / networks
    more = 1e3 * taken.baseline * (taken.ratio - networks)
    memory, parameters = sizes(found.method)
    print(
      f'{name:36}{taken.ratio:7.2f}{each:13.2f}{more:9.2f}{memory:7}'
      f'{parameters:12}',
      flush=True,
    )
  print(f'cross entropy: {1e3 * taken.baseline:.1f} ms a step')


class _Step:
  """Takes a step at each call, from where the last one ended."""

  def __init__(self, change: Callable[..., train.Parts], options: Any):
    shards = _shards(options)
    parts = change(_parts(options.model))
    self.method = parts.method
    state, memory = train.create_train_state(
      parts,
      image_shape=shards.image.shape[2:],
      num_rows=options.examples,
      num_classes=NUM_CLASSES,
      seed=0,
    )
    memory = jax.tree.map(lambda leaf: leaf[None], memory)
    local = devices.local(jax.local_devices()[:1])
    self._state = devices.replicate(state, local)
    self._memory = devices.place(memory, local)
    self._shards = devices.place(shards, local)
    self._rows = np.arange(options.batch, dtype=np.int32)[None]
    self._step = devices.parallel(
      functools.partial(train.train_step, parts),
      in_axes=(None, 0, 0, 0),
      out_axes=(None, 0, None),
      donate_argnums=(0, 1),
      local=local,
    )

  def __call__(self) -> Any:
    self._state, self._memory, _ = self._step(
      self._state, self._memory, self._shards, self._rows
    )
    return self._state, self._memory


def sizes(method: methods.Method) -> tuple[int, int]:
  """Bytes of memory for each example, and how many parameters it trains."""
  params, memory = jax.eval_shape(
    lambda key: method.init(key, 1, NUM_CLASSES), jax.random.key(0)
  )
  return (
    sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(memory)),
    sum(leaf.size for leaf in jax.tree.leaves(params)),
  )


def _parts(model: str) -> train.Parts:
  return train.Parts(
    model=models.MODELS[model](num_classes=NUM_CLASSES),
    method=methods.stateless(losses.cross_entropy),
    optimizer=optax.sgd(0.01, momentum=0.9),
    normalize=functools.partial(
      augment.normalize, mean=np.float32(0.5), std=np.float32(0.25)
    ),
    augmentation={},
    ema_decay=0.0,
  )


def _shards(options: Any) -> dataset.Shards:
  rng = np.random.default_rng(0)
  index = np.arange(options.examples, dtype=np.int32)
  label = rng.integers(NUM_CLASSES, size=options.examples).astype(np.int32)
  images = rng.integers(256, size=(options.examples, 32, 32, 3))
  shards = dataset.Shards(
    image=jnp.asarray(images, jnp.uint8),
    label=jnp.asarray(label),
    true_label=jnp.asarray(label),
    trusted_label=jnp.asarray(np.where(index % 8, -1, label)),
    index=jnp.asarray(index),
    mask=jnp.ones(options.examples),
  )
  return jax.tree.map(lambda leaf: leaf[None], shards)


def _with(method: methods.Method) -> Callable[[train.Parts], train.Parts]:
  return lambda parts: build.with_method(parts, method)


def _sharp(parts: train.Parts) -> train.Parts:
  config = ml_collections.ConfigDict({'optimizer': {'sharpness_radius': 0.05}})
  return build.sharpness_aware(parts, config)


_CROSS_ENTROPY = methods.stateless(losses.cross_entropy)
_AROUND: dict[str, Callable[[train.Parts], train.Parts]] = {
  'stateless': _with(_CROSS_ENTROPY),
  'of_batches': _with(
    methods.of_batches(functools.partial(losses.peer_loss, alpha=0.5))
  ),
  'of_views': _with(
    methods.of_views(
      functools.partial(
        losses.generalized_jensen_shannon, weights=(0.5, 0.25, 0.25)
      )
    )
  ),
  'mixup': _with(methods.mixup(_CROSS_ENTROPY, alpha=1.0)),
  'track_margins': _with(methods.track_margins(_CROSS_ENTROPY)),
  'warm_up': _with(methods.warm_up(_CROSS_ENTROPY, epochs=1.0)),
  'config.ema_decay': lambda parts: parts._replace(ema_decay=0.99),
  'config.optimizer.sharpness_radius': _sharp,
}


def entries(model: str) -> dict[str, Callable[[train.Parts], train.Parts]]:
  """What is measured: from the parts of plain training to those to measure.

  Args:
    model: the name of the network.

  Returns:
    By name, what goes around any method, and the methods as in
    mnist_methods.py.
  """
  sweep = mnist_methods.get_config().sweeps.symmetric_50
  matrix = noise.symmetric(NUM_CLASSES, 0.5, exclude_true=True)
  known = {
    **named_losses.facts(matrix, np.eye(NUM_CLASSES)),
    'part_of': models.part_of(model),
    'steps_per_epoch': 1,
    'trusted_labels': np.arange(1024) % NUM_CLASSES,
  }
  return _AROUND | {
    name: _with(build.make_method(build.one_config(sweep, fields, 0), known))
    for name, fields in sweep.systems.items()
    if 'method' in fields
  }


def _parse(arguments: list[str] | None) -> argparse.Namespace:
  parser = argparse.ArgumentParser(
    prog='scripts/bench.sh methods',
    description="A step of every method against cross entropy's.",
    epilog=LEGEND,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )
  parser.add_argument(
    '--methods',
    type=lambda text: tuple(text.split(',')),
    metavar='NAME,NAME',
    help='which to measure (default: all)',
  )
  parser.add_argument(
    '--model',
    default='cnn8',
    choices=tuple(models.MODELS),
    help='the network (default: %(default)s)',
  )
  parser.add_argument(
    '--batch', type=int, default=128, help='(default: %(default)s)'
  )
  parser.add_argument(
    '--examples',
    type=int,
    default=1024,
    help='for which there is memory (default: %(default)s)',
  )
  parser.add_argument(
    '--seconds',
    type=float,
    default=10.0,
    help='to spend on each method, at least (default: %(default)s)',
  )
  options = parser.parse_args(arguments)
  known = entries(options.model)
  unknown = [name for name in options.methods or () if name not in known]
  if unknown:
    parser.error(f'no method: {", ".join(unknown)}')
  return options


if __name__ == '__main__':
  main()
