"""The loss contract, of every loss in `losses.__all__`."""

import functools

import hypothesis
from hypothesis import strategies
import jax
from jax import test_util
import jax.numpy as jnp
import loss_cases
import numpy as np
import pytest

from noisy_labels import losses

ALL = [
  pytest.param(name, parameters, id=f'{name}-{number}')
  for name in losses.__all__
  for number, parameters in enumerate(
    loss_cases.CASES[name].parameters if name in loss_cases.CASES else ()
  )
]
FIRST = [param for param in ALL if param.id.endswith('-0')]
# Values depend on the parameters; what JAX does to a function does not.
every_parameter = pytest.mark.parametrize(('name', 'parameters'), ALL)
every_loss = pytest.mark.parametrize(('name', 'parameters'), FIRST)
MASK = -np.inf


def loss_of(name, parameters):
  return functools.partial(getattr(losses, name), **parameters)


def inputs(shape, seed=0, scale=3.0):
  """Random logits, integer labels, and labels that do not sum to one."""
  rng = np.random.default_rng(seed)
  logits = scale * rng.normal(size=shape)
  labels = rng.integers(shape[-1], size=shape[:-1])
  return logits, labels, rng.uniform(size=shape)


def value_and_grad(loss):
  """Losses, and their gradients by the logits."""

  def run(logits, labels):
    values, pull = jax.vjp(lambda logits: loss(logits, labels), logits)
    return values, pull(jnp.ones_like(values))[0]

  return run


def compiled(name, parameters):
  return _compiled(name, tuple(parameters.items()))


@functools.cache
def _compiled(name, parameters):
  return jax.jit(value_and_grad(loss_of(name, dict(parameters))))


def test_every_loss_has_a_case():
  assert set(losses.__all__) == set(loss_cases.CASES)
  assert list(losses.__all__) == sorted(losses.__all__)


@every_loss
@pytest.mark.parametrize('shape', [(5,), (4, 2), (2, 3, 7)])
def test_one_loss_an_example(name, parameters, shape):
  logits, labels, soft = (jnp.asarray(array) for array in inputs(shape))
  for given in (labels, soft):
    result = loss_of(name, parameters)(logits, given)
    assert result.shape == shape[:-1]
    assert result.dtype == jnp.float32


@every_parameter
@pytest.mark.parametrize('num_classes', [2, 10, 1000])
def test_formula_in_float64(name, parameters, num_classes):
  logits, labels, soft = inputs((6, num_classes))
  logits *= np.array([[0.01], [0.1], [1], [10], [30], [100]])
  hot = np.eye(num_classes)[labels]
  case = loss_cases.CASES[name]
  with jax.enable_x64(True):
    for given, twin in [(labels, hot), (soft, soft)]:
      run = compiled(name, parameters)
      value, gradient = run(jnp.asarray(logits), jnp.asarray(given))
      assert value.dtype == gradient.dtype == jnp.float64
      want = case.value(logits, twin, **parameters)
      np.testing.assert_allclose(value, want, rtol=1e-12, atol=1e-12)
      want = case.gradient(logits, twin, **parameters)
      size = max(1, abs(want).max())
      np.testing.assert_allclose(gradient, want, rtol=1e-12, atol=1e-12 * size)


@every_parameter
@pytest.mark.parametrize('offset', [0.0, 1e4, -1e4])
def test_formula_in_float32(name, parameters, offset):
  logits, labels, _ = inputs((64, 100))
  logits = (logits + offset).astype(np.float32)
  run = compiled(name, parameters)
  value, gradient = run(jnp.asarray(logits), jnp.asarray(labels))
  case, hot = loss_cases.CASES[name], np.eye(100)[labels]
  want = case.value(logits, hot, **parameters)
  # The mean of logits is rounded to a multiple of their own spacing.
  resolution = np.spacing(np.float32(abs(offset))) * 2
  np.testing.assert_allclose(value, want, rtol=1e-5, atol=1e-5 + resolution)
  want = case.gradient(logits, hot, **parameters)
  np.testing.assert_allclose(gradient, want, rtol=1e-5, atol=1e-6)


@every_parameter
@hypothesis.settings(deadline=None, derandomize=True, max_examples=20)
@hypothesis.given(
  rows=strategies.lists(
    strategies.lists(strategies.floats(-1e4, 1e4), min_size=4, max_size=4),
    min_size=3,
    max_size=3,
  ),
  soft=strategies.lists(strategies.floats(0, 2), min_size=12, max_size=12),
)
def test_formula_on_adversarial_inputs(name, parameters, rows, soft):
  logits, soft = np.array(rows), np.reshape(soft, (3, 4))
  case = loss_cases.CASES[name]
  with jax.enable_x64(True):
    run = compiled(name, parameters)
    value, gradient = run(jnp.asarray(logits), jnp.asarray(soft))
  want = case.value(logits, soft, **parameters)
  np.testing.assert_allclose(value, want, rtol=1e-12, atol=1e-11)
  want = case.gradient(logits, soft, **parameters)
  np.testing.assert_allclose(gradient, want, rtol=1e-9, atol=1e-10)


@every_loss
def test_integers_are_one_hot_and_labels_enter_linearly(name, parameters):
  logits, labels, soft = inputs((4, 6))
  loss = loss_of(name, parameters)
  with jax.enable_x64(True):
    logits = jnp.asarray(logits)
    alone = jnp.stack(
      [loss(logits, jnp.full(4, label)) for label in range(6)], axis=-1
    )
    close = functools.partial(np.testing.assert_allclose, rtol=1e-12)
    close(loss(logits, jnp.asarray(soft)), (soft * alone).sum(-1))
    by_labels = jax.grad(lambda soft: loss(logits, soft).sum())
    close(by_labels(jnp.asarray(soft)), alone)
    hot = jnp.eye(6)[labels]
    for of_class, of_hot in zip(
      compiled(name, parameters)(logits, jnp.asarray(labels)),
      compiled(name, parameters)(logits, hot),
      strict=True,
    ):
      close(of_class, of_hot, atol=1e-14)


@every_loss
def test_numerical_derivatives(name, parameters):
  logits, labels, soft = inputs((3, 4), scale=1.0)
  with jax.enable_x64(True):
    loss = getattr(losses, name)
    arrays = {key: jnp.asarray(value) for key, value in parameters.items()}
    check = functools.partial(
      test_util.check_grads, order=2, modes=['rev'], rtol=1e-4
    )
    check(
      lambda logits, arrays: loss(logits, jnp.asarray(labels), **arrays),
      (jnp.asarray(logits), arrays),
    )
    check(
      lambda logits, soft, arrays: loss(logits, soft, **arrays),
      (jnp.asarray(logits), jnp.asarray(soft), arrays),
    )


@every_parameter
def test_autodiff_of_the_formula(name, parameters):
  """First and second derivatives, by logits, labels and parameters at once."""
  logits, labels, soft = inputs((5,))

  def derivatives(loss, given, twin, jacobian):
    arguments = (jnp.asarray(logits), jnp.asarray(twin), {**arrays})

    def of(logits, soft, arrays):
      label = given if given is labels else soft
      return loss(logits, jnp.asarray(label), **arrays)

    first = jax.jacrev(of, (0, 1, 2))
    second = jacobian(first, (0, 2))
    return jax.jit(lambda *args: (first(*args), second(*args)))(*arguments)

  with jax.enable_x64(True):
    arrays = {key: jnp.asarray(value) for key, value in parameters.items()}
    loss, plain = getattr(losses, name), loss_cases.CASES[name].plain
    ours = derivatives(loss, soft, soft, jax.jacrev)
    want = derivatives(plain, soft, soft, jax.jacfwd)
    jax.tree.map(
      functools.partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11),
      ours,
      want,
    )
    hot = np.eye(5)[labels]
    logits = jnp.asarray(logits)
    hessian = jax.jacrev(
      jax.jacrev(lambda z: loss(z, jnp.asarray(labels), **arrays))
    )
    ours = jax.jit(hessian)(logits)
    want = jax.jit(jax.hessian(lambda z: plain(z, hot, **arrays)))(logits)
    np.testing.assert_allclose(ours, want, rtol=1e-9, atol=1e-11)


@every_loss
@pytest.mark.parametrize('soft_labels', [False, True])
def test_central_differences_at_extreme_logits(name, parameters, soft_labels):
  logits = np.array([1e4, 9999.0, 0.0, -1e4, 9998.5, -9999.5])
  step = 1e-4
  with jax.enable_x64(True):
    loss = loss_of(name, parameters)
    given = jnp.eye(6) if soft_labels else jnp.arange(6)
    rows = jnp.asarray(np.tile(logits, (6, 1)))
    _, gradient = compiled(name, parameters)(rows, given)
    for k in range(6):
      move = step * jnp.eye(6)[k]
      change = loss(rows + move, given) - loss(rows - move, given)
      np.testing.assert_allclose(
        gradient[:, k], change / (2 * step), rtol=1e-6, atol=1e-6
      )


@every_loss
@pytest.mark.parametrize('num_classes', [2, 10, 1000, 32000, 262144])
def test_finite_for_extreme_logits(name, parameters, num_classes):
  logits, labels, soft = inputs((4, num_classes))
  logits = np.where(logits > 0, 1e4, -1e4)
  logits[1:, -1] = 1e4, -1e4, 0
  logits[3] = -1e4  # All alike.
  soft /= soft.sum(-1, keepdims=True)
  run = compiled(name, parameters)
  for given in (labels, soft.astype(np.float32)):
    value, gradient = run(jnp.asarray(logits, jnp.float32), jnp.asarray(given))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    if num_classes <= 1000:
      twin = np.eye(num_classes)[given] if given is labels else given
      want = loss_cases.CASES[name].value(logits, twin, **parameters)
      np.testing.assert_allclose(value, want, rtol=2e-6, atol=1e-2)


@every_loss
@pytest.mark.parametrize('dtype', ['float16', 'bfloat16', 'float64'])
def test_dtypes(name, parameters, dtype):
  logits, labels, soft = inputs((8, 10))
  run = compiled(name, parameters)
  with jax.enable_x64(dtype == 'float64'):
    narrow = jnp.asarray(logits, dtype)
    wide_dtype = jnp.promote_types(dtype, jnp.float32)
    for given in (jnp.asarray(labels, 'uint8'), jnp.asarray(soft, dtype)):
      value, gradient = run(narrow, given)
      assert value.dtype == wide_dtype
      assert gradient.dtype == narrow.dtype
      want, exact = run(narrow.astype(wide_dtype), given)
      close = functools.partial(np.testing.assert_allclose, atol=1e-7)
      close(value, want, rtol=1e-6)
      close(gradient.astype(wide_dtype), exact, rtol=2 * jnp.finfo(dtype).eps)


@every_loss
@pytest.mark.parametrize('soft_labels', [False, True])
def test_masked_classes(name, parameters, soft_labels):
  logits, labels, soft = inputs((4, 6))
  masked = np.concatenate([logits, np.full((4, 2), MASK)], axis=-1)
  deleted, given = labels, labels
  if soft_labels:
    deleted, given = soft, np.concatenate([soft, np.zeros((4, 2))], axis=-1)
  run = compiled(name, parameters)
  with jax.enable_x64(True):
    value, gradient = run(jnp.asarray(masked), jnp.asarray(given))
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    assert (gradient[:, 6:] == 0).all()
    if loss_cases.CASES[name].masking_deletes:
      want, wanted = run(jnp.asarray(logits), jnp.asarray(deleted))
      np.testing.assert_allclose(value, want, rtol=1e-12)
      np.testing.assert_allclose(gradient[:, :6], wanted, rtol=1e-12)
    if soft_labels:
      loss = loss_of(name, parameters)
      by_labels = jax.grad(lambda t: loss(jnp.asarray(masked), t).sum())
      assert np.isfinite(by_labels(jnp.asarray(given))).all()
    second = jax.jit(jax.jacrev(lambda z: run(z, jnp.asarray(given))[1]))
    assert np.isfinite(second(jnp.asarray(masked))).all()


@every_loss
@pytest.mark.parametrize('dtype', ['int8', 'int32', 'uint8', 'uint32'])
def test_labels_that_are_no_class(name, parameters, dtype):
  outside = [4, 127, np.iinfo(dtype).max, np.iinfo(dtype).min or 5, -1]
  labels = jnp.asarray(np.array([*outside, 0, 3]).astype(dtype))
  logits = jnp.asarray(inputs((7, 4))[0])
  run = compiled(name, parameters)
  value, gradient = run(logits, labels)
  assert np.isnan(value[:5]).all()
  assert np.isnan(gradient[:5]).all()
  assert np.isfinite(value[5:]).all()
  assert np.isfinite(gradient[5:]).all()


@every_loss
def test_shift_invariance(name, parameters):
  logits, labels, soft = inputs((4, 6))
  # Multiples of 1/128, so that the shift itself is exact.
  logits = jnp.asarray(np.round(logits * 128) / 128, jnp.float32)
  run = compiled(name, parameters)
  for given in (jnp.asarray(labels), jnp.asarray(soft)):
    value, gradient = run(logits, given)
    shifted_value, shifted_gradient = run(logits + 4096, given)
    np.testing.assert_allclose(value, shifted_value, rtol=1e-5, atol=2e-3)
    np.testing.assert_allclose(gradient, shifted_gradient, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(gradient.sum(-1), 0, atol=1e-5)


@every_loss
def test_transformations(name, parameters):
  logits, labels, soft = inputs((4, 3, 5))
  loss = loss_of(name, parameters)
  run = value_and_grad(loss)  # Not compiled: for eager execution too.

  def scanned(logits, labels):
    def step(total, row):
      return total, run(*row)

    return jax.lax.scan(step, 0, (logits, labels))[1]

  for given in (jnp.asarray(labels), jnp.asarray(soft)):
    logits = jnp.asarray(logits)
    want = run(logits, given)
    for transformed in (
      jax.jit(run),
      jax.jit(jax.vmap(jax.vmap(run))),
      jax.pmap(run),
      jax.jit(scanned),
      value_and_grad(jax.checkpoint(loss)),
    ):
      jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=2e-6, atol=1e-6),
        transformed(logits, given),
        want,
      )


@every_loss
@pytest.mark.parametrize('soft_labels', [False, True])
def test_parameters_broadcast_with_the_losses(name, parameters, soft_labels):
  logits, labels, soft = inputs((2, 3, 5))
  given = jnp.asarray(soft if soft_labels else labels)
  logits = jnp.asarray(logits)
  loss = getattr(losses, name)
  for key, value in parameters.items():
    # Near the value, for each example its own.
    each = value * (1 - 0.01 * np.arange(6).reshape(2, 3) / 6)
    want = [
      [
        loss(logits[i, j], given[i, j], **{key: float(each[i, j])})
        for j in range(3)
      ]
      for i in range(2)
    ]
    for form in (each, jnp.asarray(each)):
      got = loss(logits, given, **{key: form})
      np.testing.assert_allclose(got, want, rtol=1e-5)
    by_row = jax.grad(lambda row: loss(logits, given, **{key: row}).sum())
    gradient = by_row(jnp.full(3, value))
    assert gradient.shape == (3,)
    total = jax.grad(lambda one: loss(logits, given, **{key: one}).sum())(value)
    np.testing.assert_allclose(gradient.sum(), total, rtol=1e-5)


@every_loss
def test_unfit_labels(name, parameters):
  loss = loss_of(name, parameters)
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
    for name, case in loss_cases.CASES.items()
    for invalid in case.invalid
  ],
)
def test_parameters_out_of_range(name, invalid):
  ((key, value),) = invalid.items()
  with pytest.raises(ValueError, match=f'{key} must be .*, got ') as error:
    getattr(losses, name)(jnp.zeros((2, 3)), jnp.zeros(2, int), **invalid)
  assert repr(value) in str(error.value)
