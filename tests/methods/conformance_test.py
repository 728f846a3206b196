"""Every method keeps what `Method` promises."""

import functools
import pathlib

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import tiny_training
from tests.methods.method_cases import CASES

ROWS = np.array([3, 0, 7, 5, 1, 11])
every_case = pytest.mark.parametrize(
  'name',
  [
    # `-m slow` has the wrappers around more than one method.
    pytest.param(name, marks=[pytest.mark.slow] * (' of ' in name))
    for name in CASES
  ],
)
every_epoch = pytest.mark.parametrize(
  'name', [name for name, method in CASES.items() if method.on_epoch]
)

every_opinion = pytest.mark.parametrize(
  'name', [name for name, method in CASES.items() if method.opinion]
)


def compile_anew(name):
  """A step of the method, and the list of its tracings."""
  tracings = []

  def run(state, batch, key):
    tracings.append(name)
    return tiny_training.step(CASES[name], state, batch, key)

  return jax.jit(run), tracings


@functools.cache
def compiled(name):
  """The step that the tests of a method share."""
  return compile_anew(name)[0]


def after(name, batches, scale=1.0, step=None):
  """State, losses and metrics after steps on these batches."""
  step = step or compiled(name)
  state, losses, metrics = tiny_training.start(CASES[name], scale), None, None
  for number, batch in enumerate(batches):
    key = jax.random.fold_in(jax.random.key(1), number)
    state, losses, metrics = step(state, batch, key)
  return state, losses, metrics


def test_every_public_name_is_of_one_kind_and_has_a_case():
  kinds = methods.METHODS, methods.LIFTS, methods.WRAPPERS
  types = ('Method', 'MethodState', 'Predict')
  assert sorted(methods.__all__) == sorted(sum(kinds, types))
  for names in (*kinds, methods.__all__):
    assert list(names) == sorted(set(names))
  assert {*sum(kinds, ())} == {name.split(' ')[0] for name in CASES}
  for name in methods.METHODS:
    assert (pathlib.Path(methods.__file__).parent / f'{name}.py').exists()
    assert (pathlib.Path(__file__).parent / f'{name}_test.py').exists()
    assert 'References:' in getattr(methods, name).__doc__


# Compiles each operation by itself; one of each kind, and `-m slow` the rest.
QUICK = ('early_learning_regularization', 'co_teaching', 'volume_minimization')


@pytest.mark.parametrize(
  'name',
  [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
    for name in CASES
  ],
)
def test_eager_and_compiled_agree(name):
  batch, key = tiny_training.batch_of(ROWS), jax.random.key(2)
  state, _, _ = after(name, [batch] * 2)
  losses, (memory, metrics) = CASES[name].loss(
    tiny_training.predictor(state),
    batch,
    methods.MethodState(state.trained['method'], state.memory),
    key,
  )
  compiled_state, *outputs = compiled(name)(state, batch, key)
  chex.assert_trees_all_close(
    (memory, losses, metrics),
    (compiled_state.memory, *outputs),
    rtol=1e-5,
    atol=1e-5,
  )


@every_case
def test_two_devices_with_the_same_examples_are_one(name):
  method, batch = CASES[name], tiny_training.batch_of(ROWS)
  state, key = tiny_training.start(method), jax.random.key(1)
  axes = tiny_training.State(None, None, memory=0, averaged=None)
  double = functools.partial(jax.tree.map, lambda leaf: jnp.stack([leaf] * 2))

  # What leaves with axis None must be the same on both, or vmap raises.
  @jax.jit
  @functools.partial(
    jax.vmap, in_axes=(axes, 0), out_axes=(axes, 0, 0), axis_name='devices'
  )
  def run(state, batch):
    return tiny_training.step(method, state, batch, key, axis_name='devices')

  shards = state._replace(memory=double(state.memory))
  state, losses, metrics = run(shards, double(batch))
  want, *rest = after_one(name, batch, key)
  want = want._replace(memory=double(want.memory))
  chex.assert_trees_all_close(
    (state, losses, metrics), (want, *double(rest)), rtol=1e-5, atol=1e-5
  )


def after_one(name, batch, key):
  return compiled(name)(tiny_training.start(CASES[name]), batch, key)


@every_case
def test_the_first_prediction_is_of_the_batch_and_in_no_transformation(name):
  predicted = []

  def apply(weights, images, key):
    del key
    predicted.append(images)
    return images @ weights

  def first(state, batch, key):
    CASES[name].loss(
      tiny_training.predictor(state)._replace(apply=apply),
      batch,
      methods.MethodState(state.trained['method'], state.memory),
      key,
    )
    return predicted[0]  # What belongs to a transformation cannot leave it.

  state, batch = tiny_training.start(CASES[name]), tiny_training.batch_of(ROWS)
  images = jax.jit(first)(state, batch, jax.random.key(1))
  if CASES[name].two_views:
    assert images.shape[-1] == tiny_training.NUM_FEATURES
  elif CASES[name].mixes_images:
    assert images.shape == batch['image'].shape
    assert np.any(images != batch['image'])
  else:
    np.testing.assert_array_equal(images, batch['image'])


@every_case
def test_nothing_is_traced_again_and_nothing_changes_its_type(name):
  batches = [tiny_training.batch_of(ROWS[::order]) for order in (1, -1, 1)]
  before = tiny_training.start(CASES[name])
  # The step that tests share was traced already, whatever it does now.
  step, tracings = compile_anew(name)
  state, losses, metrics = after(name, batches, step=step)
  assert len(tracings) == 1
  chex.assert_trees_all_equal_shapes_and_dtypes(state, before)
  assert losses.shape == (len(ROWS),)
  chex.assert_tree_shape_prefix(metrics, (len(ROWS),))
  chex.assert_tree_shape_prefix(state.memory, (tiny_training.NUM_EXAMPLES,))


@every_case
def test_other_fields_of_the_batch_are_not_looked_at(name):
  plain = tiny_training.batch_of(ROWS)
  state, key = tiny_training.start(CASES[name]), jax.random.key(1)

  # What a program does not use is no argument of it.
  def program(batch):
    return compiled(name).lower(state, batch, key).as_text()

  assert program({**plain, 'true_label': plain['label']}) == program(plain)


@every_case
def test_padding_leaves_no_trace(name):
  mask = np.array([1, 1, 0, 1, 0, 1.0])
  image = np.array(tiny_training.batch_of(ROWS)['image'])
  image[mask == 0] = np.nan
  clean = tiny_training.batch_of(ROWS, mask=mask)
  label = np.where(mask > 0, clean['label'], (clean['label'] + 1) % 3)
  other = np.where(mask > 0, ROWS, (ROWS + 4) % tiny_training.NUM_EXAMPLES)
  broken = tiny_training.batch_of(
    ROWS, mask=mask, image=image, label=label, index=other, row=other
  )
  key = jax.random.key(1)
  want, want_losses, _ = after_one(name, clean, key)
  state, losses, _ = after_one(name, broken, key)
  chex.assert_trees_all_equal(state.memory, want.memory)
  chex.assert_trees_all_equal(state.trained, want.trained)
  np.testing.assert_array_equal(losses[mask > 0], want_losses[mask > 0])
  chex.assert_tree_all_finite((state.memory, state.trained))
  assert np.isfinite(losses[mask > 0]).all()
  untouched(name, state, ROWS[mask > 0])
  if draws_nothing(name, clean):
    shorter = tiny_training.batch_of(ROWS[mask > 0])
    state, losses, _ = after_one(name, shorter, key)
    chex.assert_trees_all_close((state, losses), (want, want_losses[mask > 0]))


def draws_nothing(name, batch):
  one, other = (
    after_one(name, batch, jax.random.key(seed))[:2] for seed in (2, 3)
  )
  try:
    chex.assert_trees_all_equal(one, other)
  except AssertionError:
    return False
  return True


@every_case
def test_rows_that_are_not_in_the_batch_do_not_change(name):
  state, _, _ = after(name, [tiny_training.batch_of(ROWS)] * 3)
  untouched(name, state, ROWS)


def untouched(name, state, seen):
  unseen = np.setdiff1d(np.arange(tiny_training.NUM_EXAMPLES), seen)
  before = tiny_training.start(CASES[name]).memory
  chex.assert_trees_all_equal(
    jax.tree.map(lambda leaf: leaf[unseen], state.memory),
    jax.tree.map(lambda leaf: leaf[unseen], before),
  )


@every_case
def test_an_example_that_fills_the_batch(name):
  rows = np.array([4] * 6)
  state, losses, _ = after(name, [tiny_training.batch_of(rows)] * 4)
  chex.assert_tree_all_finite((state, losses))
  untouched(name, state, rows)


@every_case
def test_all_padding(name):
  batch = tiny_training.batch_of(ROWS, mask=np.zeros(6))
  state, losses, _ = after(name, [batch])
  assert np.isfinite(losses).all()
  chex.assert_tree_all_finite(state.memory)
  untouched(name, state, [])


@every_case
def test_finite_for_extreme_logits(name):
  batches = [tiny_training.batch_of(ROWS)] * 4
  chex.assert_tree_all_finite(after(name, batches, scale=1e4))


@every_case
def test_a_class_that_the_model_rules_out(name):
  """Its logits are -inf; it is the label of no example."""
  batch = tiny_training.batch_of(ROWS)
  for label in ('label', 'trusted_label'):
    batch[label] = jnp.minimum(batch[label], 1)
  state = tiny_training.start(CASES[name], ruled_out=[2])
  for number in range(4):
    key = jax.random.key(number)
    state, losses, _ = compiled(name)(state, batch, key)
    chex.assert_tree_all_finite((state, losses))


def everything(**changes):
  return tiny_training.batch_of(
    np.arange(tiny_training.NUM_EXAMPLES), **changes
  )


@every_opinion
def test_an_opinion_is_a_finite_number_for_each_label(name):
  labels = everything()['label']
  for scale in (1.0, 1e4):
    for steps in (0, 4):
      batches = [tiny_training.batch_of(ROWS)] * steps
      memory = after(name, batches, scale)[0].memory
      said = CASES[name].opinion(memory, labels)
      assert said
      assert all(column.isidentifier() for column in said)
      chex.assert_shape(list(said.values()), labels.shape)
      chex.assert_tree_all_finite(said)
      compiled_said = jax.jit(CASES[name].opinion)(memory, labels)
      chex.assert_trees_all_close(compiled_said, said, rtol=1e-6)


@every_opinion
def test_an_opinion_is_of_its_own_example_alone(name):
  labels, order = everything()['label'], np.array([4, 3, 11, 0])
  memory = after(name, [tiny_training.batch_of(ROWS)] * 4)[0].memory
  opinion = CASES[name].opinion
  some = jax.tree.map(lambda leaf: leaf[order], memory)
  chex.assert_trees_all_equal(
    opinion(some, labels[order]),
    {k: v[order] for k, v in opinion(memory, labels).items()},
  )


@every_epoch
def test_an_epoch_ends_alike_on_two_devices_and_on_one(name):
  method, batch = CASES[name], everything()
  state, _, _ = after(name, [tiny_training.batch_of(ROWS)])
  want = tiny_training.end_epoch(method, state, batch)
  axes = tiny_training.State(None, None, memory=0, averaged=None)

  @functools.partial(
    jax.vmap, in_axes=(axes, 0), out_axes=axes, axis_name='devices'
  )
  def run(state, batch):
    return tiny_training.end_epoch(method, state, batch, axis_name='devices')

  def halves(tree):
    return jax.tree.map(lambda x: x.reshape((2, -1, *x.shape[1:])), tree)

  batch = {name: batch[name] for name in ('image', 'label', 'index', 'mask')}
  batch = {**halves(batch), 'row': jnp.tile(jnp.arange(6), (2, 1))}
  got = run(state._replace(memory=halves(state.memory)), batch)
  chex.assert_trees_all_close(
    got.memory, halves(want.memory), rtol=1e-4, atol=1e-5
  )


@every_epoch
def test_the_end_of_an_epoch_changes_no_type_and_stays_finite(name):
  for scale in (1.0, 1e4):
    state, _, _ = after(name, [tiny_training.batch_of(ROWS)] * 2, scale)
    for _ in range(2):
      got = tiny_training.end_epoch(CASES[name], state, everything())
      chex.assert_trees_all_equal_shapes_and_dtypes(got, state)
      chex.assert_tree_all_finite(got.memory)
      state, losses, _ = compiled(name)(
        got, tiny_training.batch_of(ROWS), jax.random.key(3)
      )
      assert np.isfinite(losses).all()


@every_epoch
def test_padding_leaves_no_trace_at_the_end_of_an_epoch(name):
  mask = np.ones(tiny_training.NUM_EXAMPLES)
  mask[-3:] = 0
  image = np.array(everything()['image'])
  image[mask == 0] = np.nan
  state = tiny_training.start(CASES[name])
  want = tiny_training.end_epoch(CASES[name], state, everything(mask=mask))
  got = tiny_training.end_epoch(
    CASES[name], state, everything(mask=mask, image=image)
  )
  chex.assert_trees_all_equal(got.memory, want.memory)
  chex.assert_trees_all_equal(
    jax.tree.map(lambda leaf: leaf[-3:], got.memory),
    jax.tree.map(lambda leaf: leaf[-3:], state.memory),
  )
