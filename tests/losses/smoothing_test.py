import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses

K = 6


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 3 * jax.random.normal(jax.random.key(0), (8, K))


@pytest.fixture
def labels():
  return jnp.arange(8) % K


def smoothed(logits, labels, smoothing):
  return losses.smoothed_cross_entropy(logits, labels, smoothing=smoothing)


@pytest.mark.parametrize('one_hot', [False, True])
def test_none_is_cross_entropy(logits, labels, one_hot):
  if one_hot:
    labels = jnp.eye(K)[labels]
  value, pull = jax.vjp(lambda z: smoothed(z, labels, 0.0), logits)
  want, pull_want = jax.vjp(lambda z: losses.cross_entropy(z, labels), logits)
  np.testing.assert_allclose(value, want, rtol=1e-15)
  gradients = pull(jnp.ones(8))[0], pull_want(jnp.ones(8))[0]
  np.testing.assert_allclose(*gradients, rtol=1e-14)


def test_splits_into_two_cross_entropies(logits, labels):
  """H(q', p) = (1 - s) H(q, p) + s H(u, p): section 7 of the paper."""
  hard = losses.cross_entropy(logits, labels)
  uniform = losses.cross_entropy(logits, jnp.full((8, K), 1 / K))
  want = 0.9 * hard + 0.1 * uniform
  np.testing.assert_allclose(smoothed(logits, labels, 0.1), want, rtol=1e-12)


def test_all_forgets_the_label(logits, labels):
  np.testing.assert_allclose(
    smoothed(logits, labels, 1.0), smoothed(logits, labels[::-1], 1.0)
  )


def test_negative_is_backward_correction(logits, labels):
  e = 0.3
  transition = (1 - e) * np.eye(K) + e / K
  inverse = np.linalg.inv(transition)
  ones = np.ones((K, K))
  np.testing.assert_allclose(inverse, (np.eye(K) - e / K * ones) / (1 - e))
  alone = jnp.stack(
    [losses.cross_entropy(logits, jnp.full(8, k)) for k in range(K)], axis=-1
  )
  corrected = alone @ inverse.T  # By given label.
  smoothing = -e / (1 - e)
  for given in range(K):
    got = smoothed(logits, jnp.full(8, given), smoothing)
    np.testing.assert_allclose(got, corrected[:, given], rtol=1e-12)
  # Its expectation over the noise is the loss of the clean label.
  soft = jnp.asarray(transition)[labels]
  np.testing.assert_allclose(
    smoothed(logits, soft, smoothing),
    losses.cross_entropy(logits, labels),
    rtol=1e-9,
  )


def test_masked_classes_among_unmasked_rows(logits, labels):
  """One masked row must not change what the others cost."""
  masked = logits.at[2, 5].set(-jnp.inf)
  value = smoothed(masked, labels, 0.1)
  rest = np.arange(8) != 2
  np.testing.assert_allclose(
    value[rest], smoothed(logits, labels, 0.1)[rest], rtol=1e-12
  )
  np.testing.assert_allclose(
    value[2], smoothed(logits[2, :5], labels[2], 0.1), rtol=1e-12
  )
  gradient = jax.jit(jax.grad(lambda z: smoothed(z, labels, 0.1).sum()))(masked)
  want = jax.jit(jax.grad(smoothed))(logits[2, :5], labels[2], 0.1)
  np.testing.assert_allclose(gradient[2, :5], want, rtol=1e-12)
  each = jax.jit(jax.vmap(lambda z, label: smoothed(z, label, 0.1)))(
    masked, labels
  )
  np.testing.assert_allclose(each, value, rtol=1e-12)


def test_mean_over_many_classes_in_float32():
  logits = jnp.full((3, 262144), 1e4, jnp.float32)
  logits = logits.at[1].set(-1e4 / 3).at[2, ::2].set(-1e4)
  value = smoothed(logits, jnp.array([1, 1, 1]), 0.5)
  want = [
    np.log(262144),
    np.log(262144),
    np.log(131072) + 0.5 * 1e4,
  ]
  np.testing.assert_allclose(value, want, rtol=1e-6, atol=2e-3)
