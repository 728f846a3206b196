"""A loss of two views against the equations of GJS."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels import methods
from tests.methods import tiny_training

# Of the label and of each view: no two alike, so that none can be exchanged.
WEIGHTS = (0.5, 0.3, 0.2)
GJS = methods.of_views(
  functools.partial(losses.generalized_jensen_shannon, weights=WEIGHTS)
)
K = tiny_training.NUM_CLASSES


def divergence(views, y):
  """GJS in the paper's own form, and its gradients by the logits."""
  p = tiny_training.softmax(views)
  shares = np.array(WEIGHTS[1:])[:, None, None]
  mixed = WEIGHTS[0] * y + (shares * p).sum(0)
  scale = -(1 - WEIGHTS[0]) * np.log(1 - WEIGHTS[0])
  values = -WEIGHTS[0] * (y * np.log(mixed)).sum(1)
  values += (shares * p * np.log(p / mixed)).sum((0, 2))
  # By m the sum of all terms is -1 for each class, and the rest cancels it.
  by_p = shares * np.log(p / mixed) / scale
  return values / scale, p * by_p - p * (p * by_p).sum(-1, keepdims=True)


def transcription(num_epochs):
  images, labels = tiny_training.examples()
  others = images + 0.1 * images[:, ::-1]
  weights, history = tiny_training.initial_weights(), []
  for rows in tiny_training.schedule(num_epochs):
    views = np.stack([images[rows] @ weights, others[rows] @ weights])
    values, by_logits = divergence(views, np.eye(K)[labels[rows]])
    history.append(values)
    both = np.concatenate([images[rows], others[rows]])
    # Of twice as many rows, which divide it.
    weights = tiny_training.descend(weights, both, 2 * np.vstack(by_logits))
  return weights, np.array(history)


def test_it_is_the_paper_step_by_step():
  state, history = tiny_training.train(GJS, num_epochs=6)
  weights, want = transcription(6)
  tiny_training.close(history, want)
  tiny_training.close(state.trained['model'], weights)
  assert not jax.tree.leaves(state.memory)


def one_step(method, **changes):
  with jax.enable_x64(True):
    batch = tiny_training.batch_of(np.arange(6), **changes)
    state, values, _ = tiny_training.step(
      method, tiny_training.start(method), batch, jax.random.key(0)
    )
    return np.asarray(values), np.asarray(state.trained['model'])


def test_two_equal_views_are_one():
  plain = methods.stateless(
    functools.partial(losses.jensen_shannon, weight=WEIGHTS[0])
  )
  images, _ = tiny_training.examples()
  got = one_step(GJS, other_image=images[:6])
  for mine, theirs in zip(got, one_step(plain), strict=True):
    tiny_training.close(mine, theirs)
  assert np.abs(got[1] - one_step(GJS)[1]).max() > 1e-4


@pytest.mark.parametrize('view', [0, 1])
def test_a_loss_of_either_view_alone_trains_with_that_view(view):
  method = methods.of_views(
    lambda logits, labels: losses.cross_entropy(logits[view], labels)
  )
  images, _ = tiny_training.examples()
  shown = images[:6] + 0.1 * view * images[:6, ::-1]
  plain = methods.stateless(losses.cross_entropy)
  for mine, theirs in zip(
    one_step(method), one_step(plain, image=shown), strict=True
  ):
    tiny_training.close(mine, theirs)


def test_padding_is_no_number_and_no_gradient_hears_of_it():
  mask = np.array([1.0, 1, 0, 1, 0, 1])
  images, _ = tiny_training.examples()
  broken = np.where(mask[:, None] > 0, images[:6], np.nan)
  batch = tiny_training.batch_of(
    np.arange(6), mask=mask, image=broken, other_image=broken
  )

  def total(offset):
    values, _ = GJS.loss(
      lambda images, key: images[:, :K] + offset,
      batch,
      methods.MethodState({}, {}),
      jax.random.key(0),
    )
    return jnp.sum(jnp.where(batch['mask'] > 0, values, 0))

  value, gradient = jax.value_and_grad(total)(jnp.arange(3.0))
  assert np.isfinite(value)
  assert np.isfinite(gradient).all()
  assert np.abs(gradient).max() > 1e-3


def test_both_views_are_one_batch():
  shown = []

  def predict(images, key):
    shown.append(images)
    return images[:, :K]

  batch = tiny_training.batch_of(np.arange(6))
  GJS.loss(predict, batch, methods.MethodState({}, {}), jax.random.key(0))
  np.testing.assert_array_equal(
    shown, [np.concatenate([batch['image'], batch['other_image']])]
  )


@pytest.mark.parametrize(
  'wrap',
  [
    methods.track_margins,
    functools.partial(methods.mixup, alpha=1.0),
    functools.partial(methods.warm_up, epochs=1.0),
  ],
)
def test_what_wraps_methods_of_one_view_refuses_it(wrap):
  assert GJS.two_views
  with pytest.raises(ValueError, match='two views of each image'):
    wrap(GJS)
