"""What every loss promises of shapes, dtypes, masks, transforms and errors."""

import functools

import harness
from harness import every_loss
import jax
import jax.numpy as jnp
import numpy as np
import pytest

CASES = harness.CASES


@every_loss
@pytest.mark.parametrize('shape', [(5,), (4, 2), (2, 3, 7)])
def test_one_loss_an_example(name, shape):
  for given in harness.inputs(shape)[1:]:
    result = jax.eval_shape(
      harness.partial(name, shape[-1]),
      jnp.zeros(shape, jnp.float32),
      jnp.asarray(given),
    )
    assert result.shape == shape[:-1]
    assert result.dtype == jnp.float32


@every_loss
@pytest.mark.parametrize('dtype', ['float16', 'bfloat16', 'float64'])
def test_dtypes(name, dtype):
  logits, labels, soft = harness.inputs()
  parameters = harness.parameters_of(name)
  with jax.enable_x64(dtype == 'float64'):
    narrow = jnp.asarray(logits, dtype)
    wide_dtype = jnp.promote_types(dtype, jnp.float32)
    for given in (jnp.asarray(labels), jnp.asarray(soft, wide_dtype)):
      value, gradient = harness.run(name, narrow, given, **parameters)
      assert value.dtype == wide_dtype
      assert gradient.dtype == narrow.dtype
      want, exact = harness.run(
        name, narrow.astype(wide_dtype), given, **parameters
      )
      np.testing.assert_allclose(value, want, rtol=1e-6, atol=1e-7)
      np.testing.assert_allclose(
        gradient.astype(wide_dtype),
        exact,
        rtol=2 * jnp.finfo(dtype).eps,
        atol=1e-7,
      )


@every_loss
@pytest.mark.parametrize('soft_labels', [False, True])
def test_masked_classes(name, soft_labels):
  logits, labels, soft = harness.inputs()
  logits[:, 8:] = -np.inf
  labels, soft[:, 8:] = labels % 8, 0
  given = soft if soft_labels else labels
  case, parameters = CASES[name], harness.parameters_of(name)
  with jax.enable_x64(True):
    value, gradient = harness.run(name, logits, given, **parameters)
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    assert (gradient[:, 8:] == 0).all()
    if case.masking_deletes:
      twin = soft if soft_labels else np.eye(10)[labels]
      want = case.value(
        logits[:, :8], twin[:, :8], **harness.parameters_of(name, 8)
      )
      np.testing.assert_allclose(value, want, rtol=1e-12)
    _, numbers = harness.split(name, parameters)
    like = (logits, soft if soft_labels else None, numbers)
    ones = jax.tree.map(lambda leaf: jnp.ones(jnp.shape(leaf)), like)
    derivatives = harness.second_order(name, logits, given, ones, **parameters)
    for leaf in jax.tree.leaves(derivatives):
      assert np.isfinite(leaf).all()


@every_loss
@pytest.mark.parametrize('dtype', ['int8', 'int32', 'uint8'])
def test_labels_that_are_no_class(name, dtype):
  outside = [10, 127, np.iinfo(dtype).max, np.iinfo(dtype).min or 11, -1]
  labels = np.resize(np.array([*outside, 0, 3]).astype(dtype), 24)
  logits = jnp.asarray(harness.inputs()[0], jnp.float32)
  value, gradient = harness.run(
    name, logits, labels, **harness.parameters_of(name)
  )
  assert np.isnan(value[:5]).all()
  assert np.isnan(gradient[:5]).all()
  assert np.isfinite(value[5:7]).all()
  assert np.isfinite(gradient[5:7]).all()


@every_loss
def test_shift_invariance(name):
  if not CASES[name].shift_invariant:
    pytest.skip('depends on the size of the logits')
  logits, labels, soft = harness.inputs()
  # Multiples of 1/128, so that the shift itself is exact.
  logits = jnp.asarray(np.round(logits * 128) / 128, jnp.float32)
  run = functools.partial(harness.run, name, **harness.parameters_of(name))
  for given in (jnp.asarray(labels), jnp.asarray(soft)):
    value, gradient = run(logits, given)
    shifted_value, shifted_gradient = run(logits + 4096, given)
    np.testing.assert_allclose(value, shifted_value, rtol=1e-5, atol=2e-3)
    np.testing.assert_allclose(gradient, shifted_gradient, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(gradient.sum(-1), 0, atol=1e-5)


@every_loss
@pytest.mark.parametrize('soft_labels', [False, True])
def test_transformations(name, soft_labels):
  logits, labels, soft = harness.inputs((4, 3, 5))
  logits = jnp.asarray(logits, jnp.float32)
  given = jnp.asarray(soft if soft_labels else labels)
  loss = harness.partial(name, 5)
  run = harness.value_and_grad(loss)

  def scanned(logits, labels):
    def step(total, row):
      return total, run(*row)

    return jax.lax.scan(step, 0, (logits, labels))[1]

  @jax.jit
  def transformed(logits, labels):
    return (
      run(logits, labels),
      jax.vmap(jax.vmap(run))(logits, labels),
      scanned(logits, labels),
      harness.value_and_grad(jax.checkpoint(loss))(logits, labels),
    )

  want = run(logits, given)  # Not compiled, with Python numbers.
  for got in (*transformed(logits, given), jax.pmap(run)(logits, given)):
    jax.tree.map(
      functools.partial(np.testing.assert_allclose, rtol=2e-6, atol=1e-6),
      got,
      want,
    )


@every_loss
@pytest.mark.parametrize('soft_labels', [False, True])
def test_parameters_broadcast_with_the_losses(name, soft_labels):
  logits, labels, soft = harness.inputs()
  given = jnp.asarray(soft if soft_labels else labels)
  logits = jnp.asarray(logits, jnp.float32)
  parameters = harness.parameters_of(name)
  numbers = harness.split(name, parameters)[1]
  numbers = {key: n for key, n in numbers.items() if n.ndim == 0}
  if not numbers:
    pytest.skip('has no number')
  # Near the value, for each example one of three.
  factors = np.resize([1, 0.99, 0.995], 24)
  each = {key: parameters[key] * factors for key in numbers}
  others = {k: v for k, v in parameters.items() if k not in numbers}
  got = harness.loss_of(name)(logits, given, **each, **others)
  by_each, by_one = (
    jax.jit(
      jax.grad(
        lambda numbers: harness.loss_of(name)(
          logits, given, **numbers, **others
        ).sum()
      )
    )(tree)
    for tree in ({k: jnp.full(24, n) for k, n in numbers.items()}, numbers)
  )
  for factor in factors[:3]:
    scaled = {key: parameters[key] * factor for key in numbers}
    want, _ = harness.run(name, logits, given, **scaled, **others)
    here = factors == factor
    np.testing.assert_allclose(got[here], want[here], rtol=1e-5, atol=1e-6)
  for key in numbers:
    assert by_each[key].shape == (24,)
    total = by_each[key].sum()
    np.testing.assert_allclose(total, by_one[key], rtol=1e-4, atol=1e-5)


@every_loss
def test_unfit_labels(name):
  loss = harness.partial(name, 4)
  logits = jnp.zeros((3, 4))
  for labels, message in [
    (jnp.zeros((3, 4), int), 'cast one-hot labels to float'),
    (jnp.zeros(3), 'cast labels to integers'),
    (jnp.zeros(2, int), 'integer labels have the shape of logits without'),
    (jnp.zeros((3, 5)), 'float labels are distributions'),
    (jnp.zeros(3, bool), 'labels must be integer classes'),
  ]:
    with pytest.raises(AssertionError, match=message):
      loss(logits, labels)
  with pytest.raises(AssertionError, match='logits must be floating-point'):
    loss(jnp.zeros((3, 4), int), jnp.zeros(3, int))
  with pytest.raises(AssertionError, match='last axis of classes'):
    loss(jnp.zeros(()), jnp.zeros((), int))


@pytest.mark.parametrize(
  ('name', 'invalid'),
  [
    pytest.param(name, invalid, id=f'{name}-{invalid}')
    for name, case in CASES.items()
    for invalid in case.invalid
  ],
)
def test_parameters_out_of_range(name, invalid):
  ((key, value),) = invalid.items()
  parameters = {**harness.parameters_of(name, 3), **invalid}
  with pytest.raises(ValueError, match=f'{key} must be .*, got ') as error:
    harness.loss_of(name)(jnp.zeros((2, 3)), jnp.zeros(2, int), **parameters)
  assert repr(value) in str(error.value)
