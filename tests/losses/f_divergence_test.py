"""f-divergence losses against convex conjugates found by search."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels.losses import peers
from tests.losses import golden

BATCH, K = 6, 3
KEY = jax.random.key(3)
# The generators f, from the paper; Jensen-Shannon's is of twice the divergence.
GENERATORS = {
  'jensen_shannon': lambda u: u * np.log(u) - (u + 1) * np.log((u + 1) / 2),
  'kullback_leibler': lambda u: u * np.log(u),
  'pearson': lambda u: (u - 1) ** 2,
  'total_variation': lambda u: abs(u - 1) / 2,
}
GAINS = {
  'jensen_shannon': lambda v: np.log(2 / (1 + np.exp(-v))),
  'kullback_leibler': lambda v: v,
  'pearson': lambda v: v,
  'total_variation': lambda v: np.tanh(v) / 2,
}
every_divergence = pytest.mark.parametrize('name', GENERATORS)


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 2 * jax.random.normal(jax.random.key(0), (BATCH, K))


@pytest.fixture
def labels():
  return jnp.array([0, 1, 2, 2, 0, 1])


def conjugate(name, slope):
  """f*(slope) = sup_u slope u - f(u), by search."""
  u = np.exp(np.linspace(-12, 4, 400_001))
  return (slope * u - GENERATORS[name](u)).max()


@every_divergence
def test_formula(name, logits, labels):
  probs = np.asarray(jax.nn.softmax(logits))
  order = np.asarray(peers.labels_of(jnp.arange(BATCH), (BATCH,), KEY))
  of_label = GAINS[name](probs[np.arange(BATCH), labels])
  of_peer = GAINS[name](probs[np.arange(BATCH), np.asarray(labels)[order]])
  want = -of_label + [conjugate(name, slope) for slope in of_peer]
  loss = jax.jit(
    functools.partial(losses.f_divergence_loss, key=KEY, divergence=name)
  )
  for given in (labels, jnp.eye(K)[labels]):
    got = loss(logits, given)
    np.testing.assert_allclose(got, want, atol=1e-5)
  assert (abs(got) <= 5 / 4).all()


@every_divergence
def test_gradient_is_that_of_differences(name, logits, labels):
  def total(z):
    return losses.f_divergence_loss(z, labels, key=KEY, divergence=name).sum()

  gradient = jax.grad(total)(logits)
  direction = jax.random.normal(jax.random.key(9), logits.shape)
  slope = (
    total(logits + 1e-5 * direction) - total(logits - 1e-5 * direction)
  ) / 2e-5
  np.testing.assert_allclose(jnp.vdot(gradient, direction), slope, rtol=1e-7)


@every_divergence
def test_it_is_minus_a_bound_of_the_divergence(name):
  """-l is at most D_f(joint || product), for pairs of known frequencies."""
  rng = np.random.default_rng(0)
  joint = rng.dirichlet(np.ones(4 * K)).reshape(4, K)
  product = joint.sum(1, keepdims=True) * joint.sum(0)
  divergence = (product * GENERATORS[name](joint / product)).sum()
  for scale in (0.0, 1.0, 3.0):
    probs = np.asarray(jax.nn.softmax(scale * rng.normal(size=(4, K))))
    gains = GAINS[name](probs)
    costs = np.vectorize(functools.partial(conjugate, name))(gains)
    assert (joint * gains - product * costs).sum() <= divergence + 1e-9


def test_noise_only_shrinks_total_variation(logits, labels):
  """As of peer loss, whose loss it is with -tanh(p) / 2."""
  run = functools.partial(
    losses.f_divergence_loss, key=KEY, divergence='total_variation'
  )
  true = jnp.eye(K)[labels]
  noisy = 0.6 * true + 0.4 / K
  np.testing.assert_allclose(run(logits, noisy), 0.6 * run(logits, true))


@every_divergence
def test_finite_at_extremes_and_narrow(name, labels):
  run = functools.partial(losses.f_divergence_loss, key=KEY, divergence=name)
  logits = jnp.tile(jnp.array([1e4, -1e4, -jnp.inf]), (BATCH, 1))
  for given in (labels % 2, jnp.eye(K)[labels % 2]):
    value, gradient = jax.value_and_grad(lambda z: run(z, given).sum())(logits)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
  narrow = logits.astype('float16')
  assert run(narrow, labels % 2).dtype == jnp.float32
  gradient = jax.grad(lambda z: run(z, labels % 2).sum())(narrow)
  assert gradient.dtype == jnp.float16
  assert np.isnan(run(logits, labels.at[0].set(K)))[0]


@pytest.mark.parametrize(
  ('name', 'value', 'slopes'),
  [
    (
      'jensen_shannon',
      0.1021258525,
      [
        0.0001665189477,
        0.003344622473,
        2.253588896e-05,
        -0.01212182367,
        0.008588146356,
      ],
    ),
    (
      'kullback_leibler',
      0.353382118,
      [
        0.0007909191531,
        0.01588603585,
        0.0001070392676,
        -0.02440835838,
        0.00762436411,
      ],
    ),
    (
      'pearson',
      0.1783491188,
      [
        0.0003881101461,
        0.007795400669,
        5.252499654e-05,
        -0.02550330679,
        0.01726727098,
      ],
    ),
    (
      'total_variation',
      0.03833604296,
      [
        0.0001996861083,
        0.0040108027,
        2.702457602e-05,
        -0.01258760525,
        0.008350091866,
      ],
    ),
  ],
)
def test_golden(monkeypatch, name, value, slopes):
  """Of https://github.com/weijiaheng/Robust-f-divergence-measures, runner.py.

  With the labels of the next example for peers, and the same images.
  """
  monkeypatch.setattr(
    peers, 'labels_of', lambda labels, batch, key: jnp.roll(labels, -1)
  )

  def mean(logits):
    return losses.f_divergence_loss(
      logits, jnp.asarray(golden.LABELS), key=KEY, divergence=name
    ).mean()

  got, gradient = jax.value_and_grad(mean)(jnp.asarray(golden.LOGITS))
  np.testing.assert_allclose(got, value, rtol=1e-8)
  np.testing.assert_allclose(gradient[1], slopes, rtol=1e-8)


def test_transformations(logits, labels):
  run = functools.partial(losses.f_divergence_loss, divergence='pearson')
  keys = jax.random.split(KEY, 3)
  want = jnp.stack([run(logits, labels, key=key) for key in keys])
  mapped = jax.jit(jax.vmap(lambda key: run(logits, labels, key=key)))(keys)
  np.testing.assert_allclose(mapped, want, rtol=1e-12)


def test_refusals(logits, labels):
  with pytest.raises(ValueError, match="'total_variation', got 'hellinger'"):
    losses.f_divergence_loss(logits, labels, key=KEY, divergence='hellinger')
  with pytest.raises(ValueError, match='at least 2 examples'):
    losses.f_divergence_loss(
      logits[:1], labels[:1], key=KEY, divergence='pearson'
    )
