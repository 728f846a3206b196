"""The laws of losses whose label or prediction is moved toward the prediction.

Bootstrapping, confidence regularisation, epsilon-softmax, and the square error
of an enlarged label.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses

K = 5


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


def gradient(loss, logits, labels, **parameters):
  return jax.jit(jax.grad(lambda z: loss(z, labels, **parameters).sum()))(
    logits
  )


@pytest.mark.parametrize(
  ('name', 'parameters'),
  [
    ('soft_bootstrapped_cross_entropy', {'beta': 1.0}),
    ('hard_bootstrapped_cross_entropy', {'beta': 1.0}),
    ('confidence_regularized_cross_entropy', {'beta': 0.0}),
    ('epsilon_softmax_cross_entropy', {'m': 0.0}),
  ],
)
def test_cross_entropy_is_a_case_of_each(logits, labels, name, parameters):
  loss = getattr(losses, name)
  np.testing.assert_allclose(
    loss(logits, labels, **parameters),
    losses.cross_entropy(logits, labels),
    rtol=1e-12,
  )
  np.testing.assert_allclose(
    gradient(loss, logits, labels, **parameters),
    gradient(losses.cross_entropy, logits, labels),
    atol=1e-14,
  )


def test_hard_bootstrapping_is_cross_entropy_of_its_target(logits, labels):
  top = jnp.argmax(logits, axis=-1)
  target = 0.8 * jnp.eye(K)[labels] + 0.2 * jnp.eye(K)[top]
  np.testing.assert_allclose(
    losses.hard_bootstrapped_cross_entropy(logits, labels, beta=0.8),
    losses.cross_entropy(logits, target),
    rtol=1e-12,
  )
  np.testing.assert_allclose(
    gradient(losses.hard_bootstrapped_cross_entropy, logits, labels, beta=0.8),
    jax.nn.softmax(logits) - target,
    atol=1e-14,
  )


def test_soft_bootstrapping_differentiates_its_target(logits, labels):
  """Constant, its second term would have no gradient: p - p."""
  loss = losses.soft_bootstrapped_cross_entropy
  without_labels = gradient(loss, logits, labels, beta=0.0)
  log_p = jax.nn.log_softmax(logits)
  p = jnp.exp(log_p)
  entropy = -(p * log_p).sum(-1, keepdims=True)
  np.testing.assert_allclose(without_labels, -p * (log_p + entropy), atol=1e-14)
  # From https://github.com/ErikEnglesson/GJS (losses.py, Bootstrapping).
  z = jnp.array([[2.0, -1.0, 0.5, 0.0], [-3.0, 1.0, 4.0, 0.25]])
  np.testing.assert_allclose(
    loss(z, jnp.array([0, 1]), beta=0.8), [0.449535905, 2.517008299]
  )
  np.testing.assert_allclose(
    gradient(loss, z, jnp.array([0, 1]), beta=0.8)[0],
    [-0.3080330617, 0.04570586823, 0.1573060772, 0.1050211162],
  )


def test_confidence_is_negative_smoothing(logits, labels):
  beta = 0.6
  smoothed = losses.smoothed_cross_entropy(
    logits, labels, smoothing=-beta / (1 - beta)
  )
  for given in (labels, jnp.eye(K)[labels]):
    regularized = losses.confidence_regularized_cross_entropy(
      logits, given, beta=beta
    )
    np.testing.assert_allclose(regularized, (1 - beta) * smoothed, rtol=1e-10)


def test_confidence_of_a_prior(logits, labels):
  loss = losses.confidence_regularized_cross_entropy
  uniform = jnp.full(K, 1 / K)
  np.testing.assert_allclose(
    loss(logits, labels, beta=2.0, noise_prior=uniform),
    loss(logits, labels, beta=2.0),
    rtol=1e-12,
  )
  # From https://github.com/UCSC-REAL/cores (loss.py), which adds 1e-8 to p.
  z = jnp.array([[2.0, -1.0, 0.5, 0.0], [-3.0, 1.0, 4.0, 0.25]])
  prior = jnp.array([0.1, 0.2, 0.3, 0.4])
  for noise_prior, values, by_logits in [
    (
      None,
      [-3.59234935, -3.94658551],
      [-1.210099765, 0.4646460734, 0.3415552957, 0.4038983961],
    ),
    (
      prior,
      [-4.042349345, -2.671588927],
      [-1.510099757, 0.3646461018, 0.4415552902, 0.7038983653],
    ),
  ]:
    parameters = {'beta': 2.0, 'noise_prior': noise_prior}
    given = jnp.array([0, 1])
    np.testing.assert_allclose(loss(z, given, **parameters), values, rtol=2e-5)
    np.testing.assert_allclose(
      gradient(loss, z, given, **parameters)[0], by_logits, rtol=1e-5
    )


def test_confidence_without_masked_classes(logits, labels):
  loss = losses.confidence_regularized_cross_entropy
  masked = logits.at[:, 4].set(-jnp.inf)
  prior = jnp.arange(5) / 10
  np.testing.assert_allclose(
    loss(masked, labels % 4, beta=2.0, noise_prior=prior),
    loss(logits[:, :4], labels % 4, beta=2.0, noise_prior=prior[:4]),
    rtol=1e-12,
  )
  with pytest.raises(AssertionError, match='noise_prior must have shape'):
    loss(logits, labels, beta=2.0, noise_prior=prior[:4])


def test_epsilon_softmax_tends_to_one_hot(logits, labels):
  """Its p' is within 2 / (1 + m) of the prediction's one-hot vector."""
  top = jnp.argmax(logits, axis=-1)
  for m in (1.0, 1e3, 1e6):
    every = jnp.stack(
      [
        losses.epsilon_softmax_cross_entropy(logits, jnp.full(8, k), m=m)
        for k in range(K)
      ],
      axis=-1,
    )
    p = jnp.exp(-every)
    np.testing.assert_allclose(p.sum(-1), 1, rtol=1e-12)
    distance = abs(p - jnp.eye(K)[top]).sum(-1)
    assert (distance <= 2 / (1 + m)).all()


def test_epsilon_softmax_in_official_code():
  """It clips p' at 1e-8, which stops the gradient as max_loss does."""
  z = jnp.array([[2.0, -1.0, 0.5, 0.0], [-3.0, 1.0, 4.0, 0.25]])
  given, loss = jnp.array([0, 1]), losses.epsilon_softmax_cross_entropy
  clip = -np.log(1e-8)
  # From https://github.com/cswjl/eps-softmax (losses.py, ECELoss).
  for m, values, by_logits in [
    (1e5, [2.898975983e-06, 14.58452721], [-2.058565606e-06, 2.510454771e-07]),
    (2.0, [0.1016267825, 4.17020403], [-0.07595956912, 0.009263394962]),
  ]:
    np.testing.assert_allclose(
      loss(z, given, m=m, max_loss=clip), values, rtol=1e-7
    )
    np.testing.assert_allclose(
      gradient(loss, z, given, m=m)[0, :2], by_logits, rtol=1e-7
    )
  # Of the label, p is 1e-4: silent at m = 1e5, heard without the clip.
  z = jnp.log(jnp.array([1e-4, 1 - 1e-4]))
  silent = gradient(loss, z, jnp.array(0), m=1e5, max_loss=clip)
  assert (silent == 0).all()
  heard = gradient(loss, z, jnp.array(0), m=1e5)
  np.testing.assert_allclose(heard, [1e-4 - 1, 1 - 1e-4], rtol=1e-10)


def test_square_error(logits, labels):
  loss = losses.asymmetric_mean_square_error
  p = jax.nn.softmax(logits)
  for a in (1.0, 4.0):
    want = ((a * jnp.eye(K)[labels] - p) ** 2).mean(-1)
    np.testing.assert_allclose(loss(logits, labels, a=a), want, rtol=1e-12)
    assert (K * want >= (a - 1) ** 2).all()
    assert (K * want <= a**2 + 1).all()
  # From https://github.com/cswjl/joint-asymmetric-loss (losses.py, AMSELoss).
  z = jnp.array([[2.0, -1.0, 0.5, 0.0], [-3.0, 1.0, 4.0, 0.25]])
  np.testing.assert_allclose(
    loss(z, jnp.array([0, 1]), a=30.0), [214.4834592, 224.5220959]
  )
  np.testing.assert_allclose(
    gradient(loss, z, jnp.array([0, 1]), a=30.0)[0],
    [-3.027416727, 0.3676532799, 1.657459239, 1.002304209],
  )


@pytest.mark.parametrize('a', [1.0, 2.0, 10.0])
def test_minimum_of_square_error_under_noise(a):
  """The point of the simplex nearest to a times the label distribution."""
  noisy = jnp.array([0.45, 0.35, 0.2])
  vertex = a * (noisy[0] - noisy[1]) >= 1
  # Of two classes, then of three, for the third's share is negative or not.
  shares = a * noisy + (1 - a) / 3
  if shares.min() < 0:
    pair = a * noisy[:2] + (1 - a * noisy[:2].sum()) / 2
    shares = jnp.array([*pair, 0.0])
  nearest = jnp.array([1.0, 0, 0]) if vertex else shares
  assert vertex == (a == 10)

  def expected(p):
    loss = losses.asymmetric_mean_square_error
    return loss(jnp.log(p), noisy, a=a)

  least = expected(jnp.maximum(nearest, 1e-300))
  others = jax.random.dirichlet(jax.random.key(0), jnp.ones(3), (500,))
  assert (jax.jit(jax.vmap(expected))(others) >= least - 1e-12).all()
