"""Examples with trusted labels in a step, and methods that look ahead."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import devices
from experiments import models
from noisy_labels import methods
from tests.experiments import toy

MLP = models.MLP(toy.NUM_CLASSES, width=16)
RESNET = models.PreActivationResNet(toy.NUM_CLASSES, blocks=(1,))
_ON_ONE = functools.partial(
  devices.parallel, local=devices.local(jax.local_devices()[:1])
)
LOOK_AHEAD = {
  'learning_to_reweight': methods.learning_to_reweight(num_trusted=8),
  'meta_weight_net': methods.meta_weight_net(num_hidden=5, num_trusted=8),
}


def _watching(shards, num_trusted):
  """Says of the trusted examples of a step whether they are, and which."""
  known = jnp.asarray(shards.trusted_label.reshape(-1))

  def loss(predict, batch, state, key):
    predict(batch['image'], key)
    # The images are of one colour, the index, as `toy.parts` normalises them.
    pixels = batch['trusted_image'][:, 0, 0, 0] * 0.3 + 0.5
    index = jnp.round(pixels * 255).astype(jnp.int32)
    own = index // (len(known) // 4) == batch['index'][0] // (len(known) // 4)
    right = own & (known[index] == batch['trusted_label'])
    right &= batch['trusted_label'] >= 0
    size = batch['mask'].shape
    metrics = {
      'right': jnp.broadcast_to(jnp.all(right), size),
      'drawn': jnp.broadcast_to(jnp.mean(index), size),
      'kinds': jnp.broadcast_to(len(index) - jnp.sum(_repeats(index)), size),
    }
    return jnp.zeros(size), (state.memory, metrics)

  init = methods.stateless(None).init
  return methods.Method(init, loss, num_trusted=num_trusted)


def _repeats(index):
  same = index[:, None] == index
  return jnp.any(jnp.tril(same, -1), axis=1)


def test_the_trusted_examples_of_a_step_are_trusted_ones_of_the_device():
  shards = toy.shards(4, toy.ROWS)
  colours = np.broadcast_to(
    shards.index[..., None, None, None], shards.image.shape
  )
  shards = shards.replace(image=colours.astype(np.uint8))
  # Padding may look trusted.
  mask = (shards.index % toy.ROWS < toy.ROWS - 4).astype(np.float32)
  shards = shards.replace(
    mask=mask, trusted_label=np.where(mask, shards.trusted_label, 0)
  )
  real = shards.replace(trusted_label=np.where(mask, shards.trusted_label, -1))
  parts = toy.parts(
    MLP,
    method=_watching(real, 40),
    augmentation={'crop_padding': 0, 'flip': False, 'cutout': 0},
  )
  changes = {
    name: getattr(shards, name) for name in ('image', 'mask', 'trusted_label')
  }
  step, drawn = toy.compiled(parts), []
  for steps in (1, 2):
    _, _, sums = toy.run(parts, 4, steps=steps, step=step, **changes)
    assert sums['right'] == sums['count']
    drawn.append(sums['drawn'])
    # With replacement: of 5 on each device, all in 40 draws.
    assert sums['kinds'] == 5 * sums['count']
  assert drawn[0] != drawn[1]


@pytest.mark.parametrize(
  'name',
  [
    'learning_to_reweight',
    pytest.param('meta_weight_net', marks=pytest.mark.slow),
  ],
)
def test_of_true_labels_only_the_trusted_ones_are_learnt_from(name):
  parts = toy.parts(MLP, method=LOOK_AHEAD[name])
  run = functools.partial(toy.run, parts, 4, step=toy.compiled(parts))
  shards = toy.split(toy.shards(4, toy.ROWS), 4)
  before = run()
  other = (shards.true_label + 1) % toy.NUM_CLASSES
  after = run(true_label=other)
  jax.tree.map(np.testing.assert_array_equal, before, after)
  trusted = np.where(shards.trusted_label >= 0, other, -1)
  changed, _, _ = run(trusted_label=trusted)
  assert any(
    np.any(a != b)
    for a, b in zip(
      jax.tree.leaves(before[0].params['model']),
      jax.tree.leaves(changed.params['model']),
      strict=True,
    )
  )


@pytest.mark.slow
def test_looking_ahead_leaves_batch_statistics_alone():
  on_one = {'steps': 1, 'mapped': _ON_ONE}
  plain, _, _ = toy.run(toy.parts(RESNET), 1, **on_one)
  method = LOOK_AHEAD['learning_to_reweight']
  parts = toy.parts(RESNET, method=method)
  state, _, sums = toy.run(parts, 1, **on_one)
  assert np.isfinite(sums['loss'])
  assert jax.tree.leaves(state.model_state)
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6),
    state.model_state,
    plain.model_state,
  )


def test_trusted_labels_that_no_method_wants_change_nothing():
  parts = toy.parts(MLP)
  run = functools.partial(toy.run, parts, 4, step=toy.compiled(parts))
  before = run()
  shards = toy.split(toy.shards(4, toy.ROWS), 4)
  after = run(trusted_label=np.full_like(shards.trusted_label, -1))
  jax.tree.map(np.testing.assert_array_equal, before, after)
