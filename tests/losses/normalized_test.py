"""The laws of the normalized losses, and what official code makes of them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels.losses import focal_sums

K = 6
# With labels 0 and 1.
LOGITS = np.array([[2.0, -1.0, 0.5, 0.0], [-3.0, 1.0, 4.0, 0.25]])
NAMES = (
  ('normalized_cross_entropy', {}),
  ('normalized_focal_loss', {'gamma': 0.5}),
  ('normalized_generalized_cross_entropy', {'q': 0.7}),
  ('normalized_negative_cross_entropy', {}),
)


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


def bind(name, parameters):
  return functools.partial(getattr(losses, name), **parameters)


def of_every_label(loss, logits):
  def of(k):
    return loss(logits, jnp.full(logits.shape[:-1], k))

  return jax.jit(jax.vmap(of, out_axes=-1))(jnp.arange(logits.shape[-1]))


def value_and_gradient(loss, logits, labels):
  @jax.jit
  def run(logits):
    values, pull = jax.vjp(lambda z: loss(z, labels), logits)
    return values, pull(jnp.ones_like(values))[0]

  return run(jnp.asarray(logits))


def logits_of_all_sizes():
  sizes = jnp.array([0.01, 1, 10, 1000, 1e4])[:, None]
  return sizes * jax.random.normal(jax.random.key(0), (5, K))


@pytest.mark.parametrize(('name', 'parameters'), NAMES)
def test_symmetric(name, parameters):
  every = of_every_label(bind(name, parameters), logits_of_all_sizes())
  total = K - 1 if 'negative' in name else 1
  np.testing.assert_allclose(every.sum(-1), total, rtol=1e-12)
  assert (every >= 0).all()
  assert (every <= 1).all()


@pytest.mark.parametrize(('name', 'parameters'), NAMES)
def test_symmetric_noise_keeps_the_minimum(name, parameters):
  """The expected loss is that of clean labels, times a number, plus one."""
  logits = logits_of_all_sizes()
  every = of_every_label(bind(name, parameters), logits)
  rate = 0.6
  noisy = (1 - rate) * every[:, 2] + rate / (K - 1) * (
    every.sum(-1) - every[:, 2]
  )
  slope = 1 - rate * K / (K - 1)
  offset = noisy - slope * every[:, 2]
  np.testing.assert_allclose(offset, offset[0], rtol=1e-10)
  assert slope > 0


def test_focal_loss_without_focus_is_cross_entropy():
  logits, labels = logits_of_all_sizes(), jnp.arange(5)
  focal = bind('normalized_focal_loss', {'gamma': 0.0})
  for got, want in zip(
    value_and_gradient(focal, logits, labels),
    value_and_gradient(losses.normalized_cross_entropy, logits, labels),
    strict=True,
  ):
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)


def test_limits_of_generalized_cross_entropy():
  logits, labels = logits_of_all_sizes(), jnp.arange(5)
  generalized = losses.normalized_generalized_cross_entropy
  p = jax.nn.softmax(logits)[jnp.arange(5), labels]
  np.testing.assert_allclose(
    generalized(logits, labels, q=1.0), (1 - p) / (K - 1), atol=1e-15
  )
  small = logits[:3]
  np.testing.assert_allclose(
    generalized(small, labels[:3], q=1e-7),
    losses.normalized_cross_entropy(small, labels[:3]),
    rtol=1e-4,
  )


# From the classes of https://github.com/HanxunH/Active-Passive-Losses (loss.py)
# and https://github.com/Virusdoll/Active-Negative-Loss (loss.py, NNCE), run in
# float64: losses, and the gradients of the first.
GOLDEN = [
  (
    *('normalized_cross_entropy', {}),
    [0.04350390818, 0.2188309659],
    [-0.04701308039, 0.009239027664, 0.0221588429, 0.01561520983],
  ),
  (
    *('normalized_focal_loss', {'gamma': 0.5, 'constant_weights': True}),
    [0.02496289745, 0.2163175168],
    [-0.02745306448, 0.005493184123, 0.0128393518, 0.00912052856],
  ),
  (
    *('normalized_focal_loss', {'gamma': 2.0, 'constant_weights': True}),
    [0.004525623128, 0.2067782565],
    [-0.005056303022, 0.001065842646, 0.002312207948, 0.001678252428],
  ),
  (
    *('normalized_generalized_cross_entropy', {'q': 0.7}),
    [0.08049391721, 0.3093127205],
    [-0.06401614258, 0.008389295916, 0.03426734973, 0.02135949693],
  ),
  (
    *('normalized_negative_cross_entropy', {}),
    [0.7212912663, 0.7413256431],
    [-0.01418362574, 0.00485219793, 0.004602473688, 0.00472895412],
  ),
  (
    *('normalized_negative_cross_entropy', {'min_prob': 0.05}),
    [0.4050908967, 1.0],
    [-0.2157609306, -0.006220216626, 0.1055061861, 0.1164749611],
  ),
]


@pytest.mark.parametrize(('name', 'parameters', 'values', 'gradient'), GOLDEN)
def test_official_values_and_gradients(name, parameters, values, gradient):
  loss = bind(name, parameters)
  for labels in (jnp.array([0, 1]), jnp.eye(4)[:2]):
    got, by_logits = value_and_gradient(loss, LOGITS, labels)
    np.testing.assert_allclose(got, values, rtol=1e-7)
    np.testing.assert_allclose(by_logits[0], gradient, rtol=1e-6)


def test_official_focal_gradient_is_not_that_of_its_loss():
  labels = jnp.array([0, 1])
  true = bind('normalized_focal_loss', {'gamma': 0.5})
  official = bind(
    'normalized_focal_loss', {'gamma': 0.5, 'constant_weights': True}
  )
  value, gradient = value_and_gradient(true, LOGITS, labels)
  same_value, other = value_and_gradient(official, LOGITS, labels)
  np.testing.assert_array_equal(value, same_value)
  assert abs(gradient - other).max() > 0.1 * abs(gradient).max()
  step = 1e-6 * jnp.eye(4)[0]
  change = true(LOGITS + step, labels) - true(LOGITS - step, labels)
  np.testing.assert_allclose(gradient[:, 0], change / 2e-6, rtol=1e-6)


def test_focal_loss_of_certain_predictions():
  """Where p is 1, the weight's own derivative is infinite."""
  logits = jnp.array([[100.0, 0.0, 0.0], [0.0, 0.0, 100.0]], jnp.float32)
  focal = bind('normalized_focal_loss', {'gamma': 0.5})
  value, gradient = value_and_gradient(focal, logits, jnp.array([0, 0]))
  np.testing.assert_allclose(value, [0, 0.5], atol=1e-6)
  assert np.isfinite(gradient).all()


def test_negative_loss_has_no_part_of_improbable_classes():
  loss = bind('normalized_negative_cross_entropy', {'min_prob': 0.01})
  logits = jnp.array([3.0, 2.0, -5.0, -20.0])
  value, gradient = value_and_gradient(loss, logits, jnp.array(3))
  assert value == 1
  assert (gradient == 0).all()
  moved = loss(logits.at[3].set(-30.0), jnp.array(0))
  np.testing.assert_allclose(moved, loss(logits, jnp.array(0)), rtol=1e-7)


@pytest.mark.parametrize('row', [[0.3, -2.0, 4.0, -jnp.inf], [0.0, 900.0, 1.0]])
def test_focal_sum_of_half_is_that_of_any_gamma(row):
  logits, gamma = jnp.array(row), jnp.array(0.5)

  def derivatives(is_half):
    def total(logits, gamma):
      return focal_sums.focal_sum(logits, gamma, is_half)

    first = jax.grad(total, argnums=(0, 1))
    return total(logits, gamma), first(logits, gamma)

  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-14),
    derivatives(is_half=True),
    derivatives(is_half=False),
  )
