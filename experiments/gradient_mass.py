"""Whose gradients move the weights: right labels or wrong ones.

Trains an MLP on digits with wrong labels, once for each of a few losses, and
measures after every epoch the length of the gradient with respect to the logits
of each training example.
"""

from collections.abc import Callable
import functools
from typing import Any
from typing import NamedTuple

import chex
import jax
from jax import lax
import jax.numpy as jnp
from matplotlib import ticker
import numpy as np
import optax
from sklearn import datasets

from experiments import figures
from experiments import models
from noisy_labels import losses
from noisy_labels import noise

EPOCHS = 60
BATCH_SIZE = 64
NOISE_RATE = 0.3

LOSSES: dict[str, Callable[..., jax.Array]] = {
  'cross entropy': losses.cross_entropy,
  'mixture': functools.partial(
    losses.mixture_cross_entropy, noise_rate=NOISE_RATE / 0.9
  ),
  'GCE, q = 0.7': functools.partial(losses.generalized_cross_entropy, q=0.7),
  'NCE + RCE': losses.active_passive(
    losses.normalized_cross_entropy,
    functools.partial(losses.reverse_cross_entropy, log_zero=np.log(1e-4)),
    alpha=1.0,
    beta=1.0,
  ),
}


class Figure(NamedTuple):
  """An <svg> element and what it shows."""

  svg: str
  caption: str


class Mass(NamedTuple):
  """What is measured after each epoch, arrays `[epochs]`.

  Attributes:
    right: length of the gradients, summed over right labels.
    wrong: the same over wrong labels.
    accuracy: of the clean test labels.
  """

  right: chex.Array
  wrong: chex.Array
  accuracy: chex.Array


def draw(epochs: int = EPOCHS) -> list[Figure]:
  """Trains with each of `LOSSES` and draws what was measured."""
  measured = {name: measure(loss, epochs) for name, loss in LOSSES.items()}
  return [
    Figure(
      _draw_masses(measured),
      'Summed length of the gradients of right and of wrong labels.',
    ),
    Figure(
      _draw_shares(measured),
      'Left: the share of the wrong labels in it; the grey line is their share '
      'of the examples. Right: accuracy on clean test labels.',
    ),
  ]


def measure(loss: Callable[..., jax.Array], epochs: int) -> Mass:
  """Trains with a loss and measures after every epoch."""
  images, labels = datasets.load_digits(return_X_y=True)
  images = jnp.asarray((images - images.mean()) / images.std(), jnp.float32)
  transition = noise.symmetric(10, NOISE_RATE, exclude_true=True)
  given = jnp.asarray(noise.corrupt(labels, transition, seed=0).labels)
  labels = jnp.asarray(labels)
  order = np.random.default_rng(0).permutation(labels.shape[0])
  test, train = order[:360], order[360:]
  steps = len(train) // BATCH_SIZE
  model = models.MLP(num_classes=10)
  optimizer = optax.adam(optax.cosine_decay_schedule(2e-3, epochs * steps))
  params = model.init(jax.random.key(0), images[:1], train=True)

  def apply(params, rows) -> Any:
    return model.apply(params, images[rows], train=True)

  def mean_loss(params, rows):
    return jnp.mean(loss(apply(params, rows), given[rows]))

  def step(carry, rows):
    params, state = carry
    gradient = jax.grad(mean_loss)(params, rows)
    updates, state = optimizer.update(gradient, state, params)
    return (optax.apply_updates(params, updates), state), None

  def epoch(carry, key):
    rows = jax.random.permutation(key, train)[: steps * BATCH_SIZE]
    carry, _ = lax.scan(step, carry, rows.reshape(steps, BATCH_SIZE))
    gradient = jax.grad(lambda z: jnp.sum(loss(z, given[train])))(
      apply(carry[0], train)
    )
    lengths = jnp.linalg.norm(gradient, axis=-1)
    wrong = given[train] != labels[train]
    predicted = jnp.argmax(apply(carry[0], test), axis=-1)
    return carry, Mass(
      jnp.sum(jnp.where(wrong, 0, lengths)),
      jnp.sum(jnp.where(wrong, lengths, 0)),
      jnp.mean(predicted == labels[test]),
    )

  keys = jax.random.split(jax.random.key(1), epochs)
  run = jax.jit(lambda carry: lax.scan(epoch, carry, keys)[1])
  return jax.tree.map(np.asarray, run((params, optimizer.init(params))))


def _draw_masses(measured: dict[str, Mass]) -> str:
  figure, axes = figures.new(11, 3, columns=len(measured))
  for one, (name, mass) in zip(axes, measured.items(), strict=True):
    epochs = np.arange(1, len(mass.right) + 1)
    for values, label, color in (
      (mass.right, 'right labels', 'C0'),
      (mass.wrong, 'wrong labels', 'C3'),
    ):
      one.plot(
        epochs, values, color=color, label=label if one is axes[0] else None
      )
    one.set_title(name, fontsize=10)
    one.set_xlabel('epoch')
    one.set_yscale('log')
  axes[0].set_ylabel('length of gradients')
  figures.legend_below(figure)
  return figures.svg(figure)


def _draw_shares(measured: dict[str, Mass]) -> str:
  figure, (left, right) = figures.new(9, 3.8, columns=2)
  for name, mass in measured.items():
    epochs = np.arange(1, len(mass.right) + 1)
    left.plot(epochs, mass.wrong / (mass.right + mass.wrong), label=name)
    right.plot(epochs, mass.accuracy)
  left.axhline(NOISE_RATE, color='0.6', linewidth=0.8)
  left.set_ylabel('share of the wrong labels')
  right.set_ylabel('test accuracy')
  for one in (left, right):
    one.set_xlabel('epoch')
    one.yaxis.set_major_formatter(ticker.PercentFormatter(1, decimals=0))
  figures.legend_below(figure)
  return figures.svg(figure)
