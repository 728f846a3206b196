import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import devices
from experiments import models
from experiments import train
from noisy_labels import methods
from tests.experiments import toy

MODELS = {
  'mlp': models.MLP(toy.NUM_CLASSES, width=16),
  'cnn8': models.CNN8(toy.NUM_CLASSES),
  'resnet': models.PreActivationResNet(toy.NUM_CLASSES, blocks=(1,)),
}
ROWS = 24
every_model = pytest.mark.parametrize(
  'name',
  [
    # Its layers are those of the residual network, and more of them to compile.
    pytest.param(name, marks=[pytest.mark.slow] * (name == 'cnn8'))
    for name in MODELS
  ],
)


def _rows(num_devices, step):
  """One global batch of 16, dealt to any number of devices."""
  per_device = 16 // num_devices
  total = 4 * ROWS
  lane = total // 16
  batch = np.arange(16) * lane + step
  start = np.arange(num_devices)[:, None] * (total // num_devices)
  return (batch.reshape(num_devices, per_device) - start).astype(np.int32)


def _split(shards, num_devices):
  return jax.tree.map(
    lambda x: x.reshape((num_devices, -1, *x.shape[2:])), shards
  )


def _run(parts, num_devices, *, steps=3, mapped=devices.parallel, **changes):
  shards = _split(toy.shards(4, ROWS), num_devices).replace(**changes)
  state, memory = toy.create(parts, 4 * ROWS // num_devices)
  memory = jax.tree.map(
    lambda x: np.repeat(x[None], num_devices, axis=0), memory
  )
  step = mapped(
    functools.partial(train.train_step, parts),
    in_axes=(None, 0, 0, 0),
    out_axes=(None, 0, None),
  )
  for number in range(steps):
    rows = _rows(num_devices, number)
    state, memory, sums = step(state, memory, shards, rows)
  return jax.device_get((state, memory, sums))


def _under_vmap(step, **axes):
  return jax.jit(jax.vmap(step, axis_name=devices.AXIS, **axes))


@every_model
def test_devices_agree_and_vmap_proves_it(name):
  # vmap refuses out_axes=None for what differs between the devices.
  parts = toy.parts(MODELS[name], ema_decay=0.9)
  mapped = _run(parts, 4)
  proven = _run(parts, 4, mapped=_under_vmap)
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
    mapped,
    proven,
  )


def test_vmap_refuses_a_step_that_forgets_to_average():
  def forgetful(state, memory, shards, rows):
    del state, rows
    return shards.label[0], memory, {}

  shards = toy.shards(4, ROWS)
  with pytest.raises(ValueError, match='out_axes'):
    jax.vmap(
      forgetful,
      axis_name=devices.AXIS,
      in_axes=(None, 0, 0, 0),
      out_axes=(None, 0, None),
    )(0, {}, shards, _rows(4, 0))


@every_model
def test_one_device_takes_the_same_steps_as_four(name):
  parts = toy.parts(MODELS[name])
  one, four = (
    _run(parts, 1, mapped=_on_first_devices(1)),
    _run(parts, 4),
  )
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-4),
    one,
    four,
  )


def _on_first_devices(number):
  return functools.partial(
    devices.parallel, local=devices.local(jax.local_devices()[:number])
  )


def test_no_bit_of_the_state_depends_on_true_labels():
  parts = toy.parts(MODELS['mlp'])
  label = toy.shards(4, ROWS).true_label
  before = _run(parts, 4)
  after = _run(parts, 4, true_label=(label + 1) % toy.NUM_CLASSES)
  jax.tree.map(np.testing.assert_array_equal, before, after)


def test_state_depends_on_given_labels():
  parts = toy.parts(MODELS['mlp'])
  label = toy.shards(4, ROWS).label
  before, _, _ = _run(parts, 4)
  after, _, _ = _run(parts, 4, label=(label + 1) % toy.NUM_CLASSES)
  changed = jax.tree.map(
    lambda a, b: bool(np.any(a != b)), before.params, after.params
  )
  assert any(jax.tree.leaves(changed))


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
  shards = toy.shards(4, ROWS)
  colours = np.broadcast_to(
    shards.index[..., None, None, None], shards.image.shape
  )
  shards = shards.replace(image=colours.astype(np.uint8))
  # Padding may look trusted.
  mask = (shards.index % ROWS < ROWS - 4).astype(np.float32)
  shards = shards.replace(
    mask=mask, trusted_label=np.where(mask, shards.trusted_label, 0)
  )
  real = shards.replace(trusted_label=np.where(mask, shards.trusted_label, -1))
  parts = toy.parts(
    MODELS['mlp'],
    method=_watching(real, 40),
    augmentation={'crop_padding': 0, 'flip': False, 'cutout': 0},
  )
  changes = {
    name: getattr(shards, name) for name in ('image', 'mask', 'trusted_label')
  }
  drawn = []
  for steps in (1, 2):
    _, _, sums = _run(parts, 4, steps=steps, **changes)
    assert sums['right'] == sums['count']
    drawn.append(sums['drawn'])
    # With replacement: of 5 on each device, all in 40 draws.
    assert sums['kinds'] == 5 * sums['count']
  assert drawn[0] != drawn[1]


@pytest.mark.parametrize('name', LOOK_AHEAD)
def test_of_true_labels_only_the_trusted_ones_are_learnt_from(name):
  parts = toy.parts(MODELS['mlp'], method=LOOK_AHEAD[name])
  shards = _split(toy.shards(4, ROWS), 4)
  before = _run(parts, 4)
  other = (shards.true_label + 1) % toy.NUM_CLASSES
  after = _run(parts, 4, true_label=other)
  jax.tree.map(np.testing.assert_array_equal, before, after)
  trusted = np.where(shards.trusted_label >= 0, other, -1)
  changed, _, _ = _run(parts, 4, trusted_label=trusted)
  assert any(
    np.any(a != b)
    for a, b in zip(
      jax.tree.leaves(before[0].params['model']),
      jax.tree.leaves(changed.params['model']),
      strict=True,
    )
  )


def test_looking_ahead_leaves_batch_statistics_alone():
  on_one = {'steps': 1, 'mapped': _on_first_devices(1)}
  plain, _, _ = _run(toy.parts(MODELS['resnet']), 1, **on_one)
  method = LOOK_AHEAD['learning_to_reweight']
  parts = toy.parts(MODELS['resnet'], method=method)
  state, _, sums = _run(parts, 1, **on_one)
  assert np.isfinite(sums['loss'])
  assert jax.tree.leaves(state.model_state)
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6),
    state.model_state,
    plain.model_state,
  )


def test_trusted_labels_that_no_method_wants_change_nothing():
  parts = toy.parts(MODELS['mlp'])
  before = _run(parts, 4)
  shards = _split(toy.shards(4, ROWS), 4)
  after = _run(parts, 4, trusted_label=np.full_like(shards.trusted_label, -1))
  jax.tree.map(np.testing.assert_array_equal, before, after)


def test_sums_count_every_example_of_the_global_batch_once():
  _, _, sums = _run(toy.parts(MODELS['mlp']), 4, steps=1)
  assert sums['count'] == 16


def test_padding_adds_nothing():
  parts = toy.parts(MODELS['mlp'])
  shards = toy.shards(1, 8)
  doubled = jax.tree.map(lambda x: np.concatenate([x, x], axis=1), shards)
  mask = np.concatenate([np.ones((1, 8)), np.zeros((1, 8))], axis=1)
  doubled = doubled.replace(mask=mask.astype(np.float32))
  step = _on_first_devices(1)(
    functools.partial(train.train_step, parts),
    in_axes=(None, 0, 0, 0),
    out_axes=(None, 0, None),
  )
  results = []
  for data in (shards, doubled):
    state, memory = toy.create(parts, data.mask.shape[1])
    rows = np.arange(data.mask.shape[1], dtype=np.int32)[None]
    results.append(jax.device_get(step(state, memory, data, rows)))
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6),
    *results,
  )


def test_ema_is_the_running_average_of_the_weights():
  parts = toy.parts(MODELS['mlp'], ema_decay=0.75)
  initial, _ = toy.create(parts, 4 * ROWS)
  state, _, _ = _run(parts, 1, steps=1, mapped=_on_first_devices(1))
  jax.tree.map(
    lambda average, before, after: np.testing.assert_allclose(
      average, 0.75 * before + 0.25 * after, rtol=1e-5, atol=1e-7
    ),
    state.ema[0],
    initial.params['model'],
    state.params['model'],
  )


def test_layers_may_compute_in_bfloat16():
  narrow = models.PreActivationResNet(
    toy.NUM_CLASSES, dtype=jnp.bfloat16, blocks=(1,)
  )
  state, _, sums = _run(toy.parts(narrow), 1, mapped=_on_first_devices(1))
  assert np.isfinite(sums['loss'])
  assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(state.params))
  initial, _ = toy.create(toy.parts(narrow), 4 * ROWS)
  changed = jax.tree.map(
    lambda a, b: bool(np.any(a != b)), initial.params, state.params
  )
  assert all(jax.tree.leaves(changed))


def test_masked_sums_ignore_what_is_masked():
  sums = train.masked_sums(np.array([1.0, 0.0]), loss=np.array([2.0, np.nan]))
  assert sums['loss'] == 2
  assert sums['count'] == 1
