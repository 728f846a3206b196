"""Models of folds: blind to their own fold, otherwise as models alone."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from experiments import devices
from experiments import folds
from experiments import models
from experiments import train
from noisy_labels import losses
from tests.experiments import toy

SIZE, ROWS = 3, 24
MODEL = models.MLP(toy.NUM_CLASSES, width=8)
ASSIGNED = folds.assign(ROWS, SIZE, seed=0)


def test_folds_are_even_and_random():
  assigned = folds.assign(1000, 3, seed=1)
  assert sorted(np.bincount(assigned)) == [333, 333, 334]
  assert (assigned != folds.assign(1000, 3, seed=2)).any()
  # A data set in order of its classes has all of them in each fold.
  of_class = assigned.reshape(10, 100)
  for fold in range(3):
    assert ((of_class == fold).sum(axis=1) > 10).all()


def test_a_stack_is_its_models():
  stack = folds.Stack(MODEL, 2)
  images = jnp.ones((2, *toy.IMAGE_SHAPE))
  variables = stack.init(jax.random.key(0), images, train=True)
  logits = stack.apply(variables, images, train=False)
  for number in range(2):
    alone = jax.tree.map(lambda leaf, i=number: leaf[i], variables)
    want = stack.model.apply(alone, images, train=False)
    np.testing.assert_allclose(logits[number], want, rtol=1e-6)
  # In front of each model other images.
  own = jnp.stack([images, 2 * images])
  logits = stack.apply(variables, own, train=False, own_images=True)
  for number in range(2):
    both = stack.apply(variables, own[number], train=False)
    np.testing.assert_allclose(logits[number], both[number], rtol=1e-6)
  kernels = jax.tree.leaves(variables['params'])
  assert any((kernel[0] != kernel[1]).any() for kernel in kernels)


def _parts(loss=losses.cross_entropy):
  method = folds.blind(loss, ASSIGNED)
  parts = toy.parts(
    folds.Stack(MODEL, SIZE), method=method, augmentation={'flip': False}
  )
  return parts._replace(select=folds.held_out(ASSIGNED))


def _train(parts, shards, steps=3):
  state, memory = toy.create(parts, ROWS)
  run = jax.jit(
    jax.vmap(
      functools.partial(train.train_step, parts),
      axis_name=devices.AXIS,
      in_axes=(None, 0, 0, 0),
      out_axes=(None, 0, None),
    )
  )
  rows = np.arange(ROWS, dtype=np.int32)[None]
  for _ in range(steps):
    state, memory, _ = run(state, memory, shards, rows)
  return state.params['model']


def test_no_model_hears_the_labels_of_its_fold():
  shards = toy.shards(1, ROWS)
  before = _train(_parts(), shards)
  for fold in range(SIZE):
    label = np.where(
      ASSIGNED == fold, (shards.label + 1) % toy.NUM_CLASSES, shards.label
    )
    after = _train(_parts(), shards.replace(label=label))
    for one, other in zip(
      jax.tree.leaves(before), jax.tree.leaves(after), strict=True
    ):
      np.testing.assert_array_equal(one[fold], other[fold])
    changed = [
      (one != other)[model].any()
      for one, other in zip(
        jax.tree.leaves(before), jax.tree.leaves(after), strict=True
      )
      for model in range(SIZE)
      if model != fold
    ]
    assert all(changed)


def test_a_fold_trains_as_a_model_alone_on_the_others():
  shards = toy.shards(1, ROWS)
  parts = _parts()._replace(optimizer=optax.sgd(0.1))
  start, _ = toy.create(parts, ROWS)
  params = _train(parts, shards, steps=1)
  images = parts.normalize(shards.image[0])
  for fold in range(SIZE):

    def objective(variables, fold=fold):
      logits = MODEL.apply({'params': variables}, images, train=True)
      each = losses.cross_entropy(logits, shards.label[0])
      return jnp.sum(jnp.where(fold != ASSIGNED, each, 0)) / ROWS

    mine = jax.tree.map(lambda leaf, i=fold: leaf[i], start.params['model'])
    gradient = jax.grad(objective)(mine)
    jax.tree.map(
      lambda before, slope, after, i=fold: np.testing.assert_allclose(
        before - 0.1 * slope, after[i], rtol=1e-5, atol=1e-7
      ),
      mine,
      gradient,
      params,
    )


def test_examples_are_measured_by_the_model_of_their_fold():
  logits = jax.random.normal(jax.random.key(0), (SIZE, ROWS, 4))
  index = jnp.arange(ROWS)[::-1]
  chosen = folds.held_out(ASSIGNED)(logits, index)
  for row, number in enumerate(index):
    want = logits[ASSIGNED[number], row]
    np.testing.assert_array_equal(chosen[row], want)
