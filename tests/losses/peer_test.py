"""Peer loss, and who is whose peer."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels.losses import peers

BATCH, K = 7, 4


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 2 * jax.random.normal(jax.random.key(0), (BATCH, K))


@pytest.fixture
def labels():
  return jnp.array([0, 1, 2, 3, 3, 0, 2])


def peers_of(key):
  """The number of each example's peer: the label that it gets of 0 .. n - 1."""
  return peers.labels_of(jnp.arange(BATCH), (BATCH,), key)


def test_every_other_example_is_equally_often_the_peer():
  keys = jax.random.split(jax.random.key(1), 4000)
  chosen = np.asarray(jax.jit(jax.vmap(peers_of))(keys))
  assert (np.sort(chosen, axis=-1) == np.arange(BATCH)).all()
  counts = (chosen[:, :, None] == np.arange(BATCH)).sum(0)
  assert (np.diag(counts) == 0).all()
  share = 1 / (BATCH - 1)
  deviation = np.sqrt(4000 * share * (1 - share))
  others = counts[~np.eye(BATCH, dtype=bool)]
  assert (abs(others - 4000 * share) < 5 * deviation).all()


def test_peers_of_a_batch_of_two_axes_and_of_distributions():
  key = jax.random.key(2)
  soft = jax.random.uniform(jax.random.key(3), (2, 3, K))
  got = peers.labels_of(soft, (2, 3), key)
  order = peers.labels_of(jnp.arange(6), (6,), key)
  np.testing.assert_array_equal(got.reshape(6, K), soft.reshape(6, K)[order])


@pytest.mark.parametrize('alpha', [0.0, 0.7, 1.0])
def test_formula(logits, labels, alpha):
  key = jax.random.key(4)
  log_p = np.asarray(jax.nn.log_softmax(logits))
  peer = np.asarray(labels)[np.asarray(peers_of(key))]
  rows = np.arange(BATCH)
  want = -log_p[rows, labels] + alpha * log_p[rows, peer]
  for given in (labels, jnp.eye(K)[labels]):
    got = losses.peer_loss(logits, given, key=key, alpha=alpha)
    np.testing.assert_allclose(got, want, rtol=1e-12)
  gradient = jax.grad(
    lambda z: losses.peer_loss(z, labels, key=key, alpha=alpha).sum()
  )(logits)
  target = np.eye(K)[labels] - alpha * np.eye(K)[peer]
  want = (1 - alpha) * np.exp(log_p) - target
  np.testing.assert_allclose(gradient, want, atol=1e-14)
  by_alpha = jax.grad(
    lambda alpha: losses.peer_loss(logits, labels, key=key, alpha=alpha).sum()
  )(alpha)
  np.testing.assert_allclose(by_alpha, log_p[rows, peer].sum(), rtol=1e-12)


@pytest.mark.parametrize(
  'transition',
  [
    # Binary with two rates, and uniform noise of four classes.
    np.array([[0.8, 0.2], [0.4, 0.6]]),
    0.7 * np.eye(4) + 0.3 / 4,
  ],
)
@pytest.mark.parametrize(
  'loss',
  [
    losses.cross_entropy,
    functools.partial(losses.generalized_cross_entropy, q=0.5),
  ],
)
def test_noise_only_shrinks_it(transition, loss):
  """Liu and Guo's theorem 1: by 1 - e_0 - e_1, or 1 - e, for any loss."""
  size = len(transition)
  logits = jax.random.normal(jax.random.key(5), (9, size))
  true = jnp.eye(size)[jnp.arange(9) % size]
  run = functools.partial(
    losses.peer_loss, logits, key=jax.random.key(6), alpha=1.0, loss=loss
  )
  # Two labels differ in expectation by so much of what they differ in truth.
  factor = transition[0, 0] - transition[1, 0]
  np.testing.assert_allclose(
    run(true @ transition), factor * run(true), atol=1e-12
  )


def test_golden(monkeypatch):
  """Of https://github.com/gohsyi/PeerLoss, models/nn.py: binary, by sigmoid.

  With the labels of the next example for peers, and the same inputs.
  """
  monkeypatch.setattr(
    peers, 'labels_of', lambda labels, batch, key: jnp.roll(labels, -1)
  )

  def mean(logit):
    logits = jnp.stack([jnp.zeros(4), logit], axis=-1)
    labels = jnp.array([1, 0, 0, 1])
    key = jax.random.key(0)
    return losses.peer_loss(logits, labels, key=key, alpha=0.7).mean()

  value, gradient = jax.value_and_grad(mean)(jnp.array([0.5, -2, 3, -0.25]))
  np.testing.assert_allclose(value, 0.7731648825, rtol=1e-9)
  np.testing.assert_allclose(
    gradient,
    [-0.2033155502, 0.008940219152, 0.2464430595, -0.04216323757],
    rtol=1e-8,
  )


def test_narrow_logits_and_labels_that_are_no_class(logits, labels):
  key = jax.random.key(7)

  def run(logits, labels):
    def total(logits):
      values = losses.peer_loss(logits, labels, key=key, alpha=1.0)
      return values.sum(), values

    gradient, values = jax.grad(total, has_aux=True)(logits)
    return values, gradient

  narrow = logits.astype('bfloat16')
  values, gradient = run(narrow, labels)
  assert values.dtype == jnp.float32
  assert gradient.dtype == jnp.bfloat16
  _, exact = run(narrow.astype('float32'), labels)
  np.testing.assert_allclose(
    gradient.astype('float32'), exact, rtol=2**-7, atol=1e-6
  )
  values, _ = run(logits, labels.at[2].set(K))
  own_or_peer = {2, int(jnp.argmax(peers_of(key) == 2))}
  assert set(np.flatnonzero(np.isnan(values)).tolist()) == own_or_peer


def test_transformations(logits, labels):
  run = functools.partial(losses.peer_loss, alpha=1.0)
  keys = jax.random.split(jax.random.key(8), 3)
  want = jnp.stack([run(logits, labels, key=key) for key in keys])
  mapped = jax.jit(jax.vmap(lambda key: run(logits, labels, key=key)))(keys)
  np.testing.assert_allclose(mapped, want, rtol=1e-12)
  _, scanned = jax.lax.scan(
    lambda carry, key: (carry, run(logits, labels, key=key)), 0, keys
  )
  np.testing.assert_allclose(scanned, want, rtol=1e-12)


def test_refusals(logits, labels):
  key = jax.random.key(0)
  with pytest.raises(ValueError, match=r'alpha must be in \[0, inf\), got -1'):
    losses.peer_loss(logits, labels, key=key, alpha=-1)
  with pytest.raises(ValueError, match='at least 2 examples'):
    losses.peer_loss(logits[:1], labels[:1], key=key, alpha=1.0)
  with pytest.raises(AssertionError, match='integer labels have the shape'):
    losses.peer_loss(logits, labels[:3], key=key, alpha=1.0)
