import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import build
from experiments import devices
from experiments import evaluate
from experiments import models
from experiments import step_inputs
from experiments import train
from noisy_labels import losses
from noisy_labels import methods
from tests.experiments import toy
from tests.methods import method_cases

MODELS = {
  'mlp': models.MLP(toy.NUM_CLASSES, width=16),
  'cnn8': models.CNN8(toy.NUM_CLASSES),
  'resnet': models.PreActivationResNet(toy.NUM_CLASSES, blocks=(1,)),
}
every_model = pytest.mark.parametrize(
  'name',
  [
    # They have many layers to compile; models_test has their batch statistics.
    pytest.param(name, marks=[pytest.mark.slow] * (name != 'mlp'))
    for name in MODELS
  ],
)


PLAIN = toy.parts(MODELS['mlp'])


@functools.cache
def _plain_step(num_devices):
  return toy.compiled(PLAIN, _on_first_devices(num_devices))


def _run_plain(num_devices=4, **options):
  return toy.run(PLAIN, num_devices, step=_plain_step(num_devices), **options)


def _under_vmap(step, **axes):
  return jax.jit(jax.vmap(step, axis_name=devices.AXIS, **axes))


@every_model
def test_devices_agree_and_vmap_proves_it(name):
  # vmap refuses out_axes=None for what differs between the devices.
  parts = toy.parts(MODELS[name], ema_decay=0.9)
  mapped = toy.run(parts, 4)
  proven = toy.run(parts, 4, mapped=_under_vmap)
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
    mapped,
    proven,
  )


def test_vmap_refuses_a_step_that_forgets_to_average():
  def forgetful(state, memory, shards, rows):
    del state, rows
    return shards.label[0], memory, {}

  shards = toy.shards(4, toy.ROWS)
  with pytest.raises(ValueError, match='out_axes'):
    jax.vmap(
      forgetful,
      axis_name=devices.AXIS,
      in_axes=(None, 0, 0, 0),
      out_axes=(None, 0, None),
    )(0, {}, shards, toy.rows_of(4, 0))


@every_model
def test_one_device_takes_the_same_steps_as_four(name):
  parts = toy.parts(MODELS[name])
  one, four = (
    toy.run(parts, 1, mapped=_on_first_devices(1)),
    toy.run(parts, 4),
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
  label = toy.shards(4, toy.ROWS).true_label
  before = _run_plain()
  after = _run_plain(true_label=(label + 1) % toy.NUM_CLASSES)
  jax.tree.map(np.testing.assert_array_equal, before, after)


def _parts_of_method(name):
  method = method_cases.CASES[name]
  parts = toy.parts(models.MLP(toy.NUM_CLASSES, width=8), method=method)
  return build.with_method(parts, method)


def _trace(parts, shards):
  """Traces a step, and the end of an epoch if there is one."""
  state, memory = toy.create(parts, toy.ROWS)
  memory = jax.tree.map(lambda leaf: np.stack([leaf] * 4), memory)

  def trace(step, out_axes, *given):
    mapped = _under_vmap(
      functools.partial(step, parts),
      in_axes=(None,) + (0,) * (len(given) - 1),
      out_axes=out_axes,
    )
    return jax.eval_shape(mapped, *given)

  rows = toy.rows_of(4, 0)
  trace(train.train_step, (None, 0, None), state, memory, shards, rows)
  if parts.method.on_epoch:
    rows = np.tile(np.arange(toy.ROWS), (4, 1))
    logits = trace(evaluate.logits_step, 0, state, shards, rows, rows)
    logits = np.zeros(logits.shape, logits.dtype)
    trace(train.epoch_step, 0, state, memory, shards, [logits])


# What trains without them cannot depend on them, whatever they are.
@pytest.mark.parametrize('name', methods.METHODS)
def test_every_method_trains_where_there_are_no_true_labels(name):
  _trace(
    _parts_of_method(name), toy.shards(4, toy.ROWS).replace(true_label=None)
  )


@pytest.mark.parametrize('program', ['train_step', 'epoch_step'])
def test_what_looks_at_true_labels_fails_without_them(monkeypatch, program):
  def peek(shards, rows):
    return {**take(shards, rows), 'true_label': shards.true_label[rows]}

  take, honest = step_inputs.take, getattr(train, program)

  def peeping(*given):
    with monkeypatch.context() as patch:
      patch.setattr(step_inputs, 'take', peek)
      return honest(*given)

  monkeypatch.setattr(train, program, peeping)
  parts = _parts_of_method('progressive_early_stopping')
  shards = toy.shards(4, toy.ROWS)
  _trace(parts, shards)
  with pytest.raises(TypeError, match='NoneType'):
    _trace(parts, shards.replace(true_label=None))


# One has an optimiser of its own, and one averages of two networks.
@pytest.mark.parametrize(
  'name', ['progressive_early_stopping', 'early_learning_regularization_plus']
)
def test_a_step_is_traced_once(monkeypatch, name):
  tracings = []
  step = train.train_step

  def counted(*given):
    tracings.append(name)
    return step(*given)

  monkeypatch.setattr(train, 'train_step', counted)
  parts, local = _parts_of_method(name), devices.local(jax.local_devices()[:1])
  compiled = toy.compiled(parts, _on_first_devices(1))
  state, memory = toy.create(parts, 4 * toy.ROWS)
  # As a run does.
  state = devices.replicate(state, local)
  memory = devices.place(jax.tree.map(lambda leaf: leaf[None], memory), local)
  shards = toy.split(toy.shards(4, toy.ROWS), 1)
  for number in range(3):
    state, memory, _ = compiled(state, memory, shards, toy.rows_of(1, number))
  assert len(tracings) == 1


def test_state_depends_on_given_labels():
  label = toy.shards(4, toy.ROWS).label
  before, _, _ = _run_plain()
  after, _, _ = _run_plain(label=(label + 1) % toy.NUM_CLASSES)
  changed = jax.tree.map(
    lambda a, b: bool(np.any(a != b)), before.params, after.params
  )
  assert any(jax.tree.leaves(changed))


def test_sums_count_every_example_of_the_global_batch_once():
  _, _, sums = _run_plain(steps=1)
  assert sums['count'] == 16


def test_padding_adds_nothing():
  shards = toy.shards(1, 8)
  doubled = jax.tree.map(lambda x: np.concatenate([x, x], axis=1), shards)
  mask = np.concatenate([np.ones((1, 8)), np.zeros((1, 8))], axis=1)
  doubled = doubled.replace(mask=mask.astype(np.float32))
  results = []
  for data in (shards, doubled):
    state, memory = toy.create(PLAIN, data.mask.shape[1])
    rows = np.arange(data.mask.shape[1], dtype=np.int32)[None]
    stepped = _plain_step(1)(state, memory, data, rows)
    results.append(jax.device_get(stepped))
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6),
    *results,
  )


def test_ema_is_the_running_average_of_the_weights():
  parts = toy.parts(MODELS['mlp'], ema_decay=0.75)
  initial, _ = toy.create(parts, 4 * toy.ROWS)
  state, _, _ = toy.run(parts, 1, steps=1, mapped=_on_first_devices(1))
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
  state, _, sums = toy.run(toy.parts(narrow), 1, mapped=_on_first_devices(1))
  assert np.isfinite(sums['loss'])
  assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(state.params))
  initial, _ = toy.create(toy.parts(narrow), 4 * toy.ROWS)
  changed = jax.tree.map(
    lambda a, b: bool(np.any(a != b)), initial.params, state.params
  )
  assert all(jax.tree.leaves(changed))


def test_masked_sums_ignore_what_is_masked():
  sums = train.masked_sums(np.array([1.0, 0.0]), loss=np.array([2.0, np.nan]))
  assert sums['loss'] == 2
  assert sums['count'] == 1


def _remember_logits():
  """A method whose memory is what `on_epoch` was shown, less the mean."""

  def init(key, num_examples, num_classes):
    del key
    return methods.MethodState({}, jnp.zeros((num_examples, num_classes)))

  def loss(predict, batch, state, key):
    logits = predict(batch['image'], key)
    return losses.cross_entropy(logits, batch['label']), (state.memory, {})

  def on_epoch(logits, batch, state, total):
    mask = batch['mask'][:, None]
    sums, count = total((jnp.sum(mask * logits, 0), jnp.sum(batch['mask'])))
    return jnp.where(mask > 0, logits - sums / count, state.memory)

  return methods.Method(init, loss, on_epoch=on_epoch)


@pytest.fixture(scope='module')
def remembering():
  parts = toy.parts(MODELS['mlp'], method=_remember_logits())
  state, _, _ = toy.run(parts, 1, mapped=_on_first_devices(1))
  return parts, state


@pytest.mark.parametrize('num_devices', [1, 4])
def test_the_end_of_an_epoch_shows_every_example_once(remembering, num_devices):
  parts, state = remembering
  shards = toy.split(toy.shards(4, toy.ROWS), num_devices)
  local = devices.local(jax.local_devices()[:num_devices])
  # Batches of 7 do not divide the examples of a device.
  shown = evaluate.Evaluator(parts, 7, local).logits(state, shards)
  memory = np.zeros((num_devices, 4 * toy.ROWS // num_devices, toy.NUM_CLASSES))
  end = devices.parallel(
    functools.partial(train.epoch_step, parts),
    in_axes=(None, 0, 0, 0),
    out_axes=0,
    local=local,
  )
  memory = np.asarray(end(state, memory, shards, shown))
  logits = parts.model.apply(
    {'params': state.params['model']},
    parts.normalize(shards.image.reshape(-1, *toy.IMAGE_SHAPE)),
    train=False,
  )
  np.testing.assert_allclose(
    memory.reshape(-1, toy.NUM_CLASSES),
    logits - logits.mean(0),
    rtol=1e-4,
    atol=1e-5,
  )
