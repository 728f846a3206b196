"""What every loss promises of shapes, dtypes, masks, transforms and errors."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.losses import harness
from tests.losses.harness import every_loss

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
def test_narrow_logits(name):
  """Computed in float32; the gradient has the logits' dtype."""
  logits, labels, soft = (jnp.asarray(array) for array in harness.inputs())
  parameters = harness.parameters_of(name)
  run = harness.value_and_grad(harness.partial(name))
  cases = [
    (logits.astype('float16'), labels),
    (logits.astype('bfloat16'), labels),
    (logits.astype('bfloat16'), soft),
    (logits.astype('bfloat16'), soft.astype('bfloat16')),
  ]
  results = jax.jit(lambda cases: [run(*case) for case in cases])(cases)
  for (narrow, given), (value, gradient) in zip(cases, results, strict=True):
    assert value.dtype == jnp.float32
    assert gradient.dtype == narrow.dtype
    wide = [
      array.astype(jnp.promote_types(array.dtype, jnp.float32))
      for array in (narrow, given)
      if jnp.issubdtype(array.dtype, jnp.floating)
    ]
    want, exact = harness.run(name, *[*wide, given][:2], **parameters)
    np.testing.assert_allclose(value, want, rtol=1e-6, atol=1e-6)
    # Rounded gradients may cancel when they are added.
    eps = float(jnp.finfo(narrow.dtype).eps)
    atol = 1e-6 if CASES[name].roundings == 1 else eps
    gradient = gradient.astype(jnp.float32)
    np.testing.assert_allclose(gradient, exact, rtol=2 * eps, atol=atol)


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
def test_labels_that_are_no_class(name):
  logits = jnp.asarray(harness.inputs()[0][:7])
  run = harness.value_and_grad(harness.partial(name))
  given = {}
  for dtype in ('int8', 'int32', 'uint8', 'uint32'):
    limits = np.iinfo(dtype)
    outside = [10, 127, limits.max, limits.min or 11, -1]
    given[dtype] = np.array([*outside, 0, 3]).astype(dtype)

  results = jax.jit(
    lambda given: {dtype: run(logits, given[dtype]) for dtype in given}
  )(given)
  for value, gradient in results.values():
    assert np.isnan(value[:5]).all()
    assert np.isnan(gradient[:5]).all()
    assert np.isfinite(value[5:]).all()
    assert np.isfinite(gradient[5:]).all()


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
def test_transformations(name):
  """Of distributions vmap, of classes pmap, and scan of vmap of remat."""
  logits, *labels = map(jnp.asarray, harness.inputs())
  loss = harness.partial(name)
  run = harness.value_and_grad(loss)
  rows = jax.tree.map(lambda x: x.reshape(4, 6, *x.shape[1:]), (logits, labels))
  by_row, (classes, soft) = rows

  @jax.jit
  def transformed(logits, classes, soft):
    remat = jax.vmap(harness.value_and_grad(jax.checkpoint(loss)))

    def step(total, row):
      return total, remat(*row)

    scanned = jax.lax.scan(step, 0, (logits, classes))[1]
    return scanned, jax.vmap(jax.vmap(run))(logits, soft)

  scanned, mapped = transformed(by_row, classes, soft)
  over_devices = jax.pmap(run)(by_row, classes)
  parameters = harness.parameters_of(name)
  for given, results in zip(
    labels, ([scanned, over_devices], [mapped]), strict=True
  ):
    want = harness.run(name, logits, given, **parameters)
    for got in results:
      for array, wanted in zip(got, want, strict=True):
        array = array.reshape(wanted.shape)
        np.testing.assert_allclose(array, wanted, rtol=2e-6, atol=1e-6)


@every_loss
def test_parameters_broadcast_with_the_losses(name):
  logits, *labels = (jnp.asarray(array) for array in harness.inputs())
  parameters = harness.parameters_of(name)
  numbers = {
    key: number
    for key, number in harness.split(name, parameters)[1].items()
    if number.ndim == 0
  }
  if not numbers:
    pytest.skip('has no number')
  others = {k: v for k, v in parameters.items() if k not in numbers}
  # Near the value, for each example one of three.
  factors = np.resize([1, 0.99, 0.995], 24)
  each = jax.tree.map(lambda number: number * factors, numbers)

  def total(numbers, given):
    values = harness.loss_of(name)(logits, given, **numbers, **others)
    return values.sum(), values

  gradient = jax.grad(total, has_aux=True)
  classes, soft = labels

  @jax.jit
  def run(numbers, each):
    by_one, _ = gradient(numbers, classes)
    by_all, _ = gradient(
      jax.tree.map(lambda number: jnp.full(24, number), numbers), classes
    )
    return by_one, by_all, total(each, classes)[1], total(each, soft)[1]

  by_one, by_all, of_classes, of_soft = run(numbers, each)
  for given, got in ((classes, of_classes), (soft, of_soft)):
    for factor in factors[:3]:
      scaled = jax.tree.map(lambda number: number * factor, numbers)
      want, _ = harness.run(name, logits, given, **scaled, **others)
      here = factors == factor
      np.testing.assert_allclose(got[here], want[here], rtol=1e-5, atol=1e-6)
  for key in numbers:
    assert by_all[key].shape == (24,)
    np.testing.assert_allclose(
      by_all[key].sum(), by_one[key], rtol=1e-4, atol=1e-5
    )


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
