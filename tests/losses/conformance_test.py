"""Every loss against its formula: values, and derivatives by all arguments."""

import pathlib

import hypothesis
from hypothesis import strategies
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from tests.losses import case_base
from tests.losses import harness
from tests.losses.harness import every_loss
from tests.losses.harness import first_parameter

CASES = harness.CASES


def check(name, number, logits, labels, rtol, atol, value_atol=None):
  """Compare value and gradient; labels are classes or distributions."""
  case, num_classes = CASES[name], logits.shape[-1]
  parameters = harness.parameters_of(name, num_classes, number)
  value, gradient = harness.run(name, logits, labels, **parameters)
  assert value.dtype == gradient.dtype == logits.dtype
  twin = np.asarray(labels)
  if twin.ndim < logits.ndim:
    twin = np.arange(num_classes) == twin[..., None]
  twin = twin.astype(np.longdouble)
  want = case.value(logits, twin, **parameters)
  np.testing.assert_allclose(value, want, rtol, value_atol or atol)
  classes = np.arange(num_classes)[:: -(-num_classes // 20)]
  if case.gradient:
    classes = np.arange(num_classes)
  want = case_base.gradient(case, logits, twin, classes, **parameters)
  size = max(1, abs(want).max())
  np.testing.assert_allclose(gradient[:, classes], want, rtol, atol * size)


def test_every_public_name_is_of_one_kind_and_tested():
  kinds = (
    losses.PER_EXAMPLE,
    losses.OF_BATCHES,
    losses.COMBINATORS,
    losses.TRANSFORMS,
  )
  assert sorted(losses.__all__) == sorted(sum(kinds, ()))
  for names in (*kinds, losses.__all__):
    assert list(names) == sorted(set(names))
  assert set(losses.PER_EXAMPLE) <= set(CASES)
  files = pathlib.Path(__file__).parent.glob('*_test.py')
  tests = '\n'.join(file.read_text() for file in files)
  for name in losses.__all__:
    assert name in losses.PER_EXAMPLE or f'losses.{name}(' in tests
    assert getattr(losses, name).__doc__


@pytest.mark.slow
@first_parameter
def test_formula_of_many_classes(name, number):
  compare_in_float64(name, number, 1000)


@first_parameter
@pytest.mark.parametrize(
  'num_classes', [pytest.param(2, marks=pytest.mark.slow), 10]
)
def test_formula_in_float64(name, number, num_classes):
  compare_in_float64(name, number, num_classes)


def compare_in_float64(name, number, num_classes):
  rows = 24 if num_classes == 10 else 6
  logits, labels, soft = harness.inputs((rows, num_classes))
  logits *= np.resize([0.01, 0.1, 1, 10, 30, 100], (rows, 1))
  with jax.enable_x64(True):
    check(name, number, logits, labels, 1e-12, 1e-12)
    if num_classes == 10:
      check(name, number, logits, soft, 1e-12, 1e-12)


@first_parameter
@pytest.mark.parametrize('offset', [0.0, 1e4, -1e4])
def test_formula_in_float32(name, number, offset):
  if offset and not CASES[name].shift_invariant:
    pytest.skip('depends on the size of the logits')
  logits, labels, _ = harness.inputs()
  logits = (logits + offset).astype(np.float32)
  # The mean of logits is rounded to a multiple of their own spacing.
  resolution = 2 * np.spacing(np.float32(abs(offset)))
  check(name, number, logits, labels, 1e-5, 1e-6, 1e-5 + resolution)


@first_parameter
def test_formula_at_extreme_logits(name, number):
  with jax.enable_x64(True):
    for given in harness.inputs()[1:]:
      check(name, number, harness.extreme_logits(), given, 1e-10, 1e-10)


@first_parameter
@hypothesis.settings(deadline=None, derandomize=True, max_examples=15)
@hypothesis.given(
  rows=strategies.lists(
    strategies.lists(strategies.floats(-1e4, 1e4), min_size=10, max_size=10),
    min_size=3,
    max_size=3,
  ),
  soft=strategies.lists(strategies.floats(0, 2), min_size=30, max_size=30),
)
def test_formula_on_generated_inputs(name, number, rows, soft):
  logits, soft = np.array(rows), np.reshape(soft, (3, 10))
  logits, soft = np.tile(logits, (8, 1)), np.tile(soft, (8, 1))
  with jax.enable_x64(True):
    check(name, number, logits, soft, 1e-10, 1e-10, 1e-11)


@first_parameter
@pytest.mark.parametrize('soft_labels', [False, True])
def test_first_and_second_derivatives(name, number, soft_labels):
  """By logits, labels and parameters, against differences of the formula."""
  logits, labels, soft = harness.inputs(scale=1.5)
  parameters = harness.parameters_of(name, number=number)
  case, rng = CASES[name], np.random.default_rng(1)
  given = soft if soft_labels else labels
  fixed, numbers = harness.split(name, parameters)
  numbers = {key: np.longdouble(parameters[key]) for key in numbers}
  twin = soft if soft_labels else np.eye(10)[labels]
  # A direction, and a second one to test the product with the first in.
  point = (logits, twin if soft_labels else None, numbers)

  def direction(leaf):
    # Small parameters may be near the end of their range.
    size = min(1, float(abs(np.max(leaf))))
    return size * rng.normal(size=np.shape(leaf))

  directions, others = (jax.tree.map(direction, point) for _ in range(2))

  def total(step, other=0):
    logits, labels, numbers = jax.tree.map(
      lambda leaf, u, v: leaf + step * u + other * v, point, directions, others
    )
    labels = twin if labels is None else labels
    return case.value(logits, labels, **numbers, **fixed).sum()

  with jax.enable_x64(True):
    first, second = harness.second_order(
      name, logits, given, jax.tree.map(jnp.asarray, directions), **parameters
    )

  def product(tree, directions):
    products = jax.tree.map(np.vdot, tree, directions)
    return sum(jax.tree.leaves(products))

  np.testing.assert_allclose(
    product(first, directions), case_base.difference(total), rtol=1e-10
  )
  want = case_base.difference(
    lambda other: case_base.difference(lambda step: total(step, other))
  )
  np.testing.assert_allclose(product(second, others), want, rtol=1e-6)


@every_loss
def test_integers_are_one_hot_and_labels_enter_linearly(name):
  parameters = harness.parameters_of(name)
  logits, _, soft = harness.inputs()
  labels = np.arange(24) % 10
  logits = np.repeat(logits[:3], 10, axis=0)[:24]  # Two rows in every class.
  with jax.enable_x64(True):
    of_class = harness.run(name, logits, labels, **parameters)
    of_hot = harness.run(name, logits, np.eye(10)[labels], **parameters)
    for got, want in zip(of_class, of_hot, strict=True):
      np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
    if CASES[name].linear:
      mixed = harness.run(name, logits, soft, **parameters)
      for got, alone in zip(mixed, of_hot, strict=True):
        for row in (0, 10):
          want = soft[row] @ alone[row : row + 10]
          np.testing.assert_allclose(got[row], want, rtol=1e-12, atol=1e-14)


@every_loss
@pytest.mark.parametrize(
  'num_classes',
  [
    pytest.param(2, marks=pytest.mark.slow),
    10,
    pytest.param(1000, marks=pytest.mark.slow),
    32000,
  ],
)
def test_finite_for_extreme_logits(name, num_classes):
  if num_classes > CASES[name].max_classes:
    pytest.skip('has parameters too large for that many classes')
  parameters = harness.parameters_of(name, num_classes)
  shape = (24 if num_classes == 10 else 4, num_classes)
  _, labels, soft = harness.inputs(shape)
  logits = harness.extreme_logits(shape).astype(np.float32)
  soft = (soft / soft.sum(-1, keepdims=True)).astype(np.float32)
  # Each is compiled anew for each number of classes; two tell of distributions.
  both = num_classes in (10, 32000)
  for given in (labels.astype(np.int32), soft)[: 1 + both]:
    value, gradient = harness.run(name, logits, given, **parameters)
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    if num_classes <= 1000:
      twin = given if given is soft else np.eye(num_classes)[given]
      want = CASES[name].value(logits, twin, **parameters)
      np.testing.assert_allclose(value, want, rtol=2e-6, atol=1e-2)
