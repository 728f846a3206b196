"""The laws of Jensen-Shannon losses, of one prediction and of views."""

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


@pytest.fixture
def views():
  return 2 * jax.random.normal(jax.random.key(1), (2, 8, K))


def divergence(distributions, weights):
  """sum_i w_i KL(d_i, sum_j w_j d_j), in numpy."""
  mean = sum(w * d for w, d in zip(weights, distributions, strict=True))
  total = 0
  for weight, d in zip(weights, distributions, strict=True):
    ratio = np.where(d > 0, d, 1) / np.where(d > 0, mean, 1)
    total += weight * (d * np.log(ratio)).sum(-1)
  return total


def scale(weight):
  return -1 / ((1 - weight) * np.log(1 - weight))


@pytest.mark.parametrize('weight', [1e-3, 0.3, 0.9])
def test_limits_and_bound(logits, labels, weight):
  def js(logits, weight=weight):
    return losses.jensen_shannon(logits, labels, weight=weight)

  want = divergence(
    (np.eye(K)[labels], np.asarray(jax.nn.softmax(logits))),
    (weight, 1 - weight),
  )
  np.testing.assert_allclose(js(logits), want * scale(weight), rtol=1e-9)
  bound = 1 + weight * np.log(weight) / ((1 - weight) * np.log1p(-weight))
  assert (js(logits) <= bound).all()
  worst = -1e4 * jnp.eye(K)[labels]
  np.testing.assert_allclose(js(worst), bound, rtol=1e-12)


def test_between_cross_entropy_and_absolute_error(logits, labels):
  np.testing.assert_allclose(
    losses.jensen_shannon(logits, labels, weight=1e-9),
    losses.cross_entropy(logits, labels),
    rtol=1e-5,
  )
  p = jax.nn.softmax(logits)[jnp.arange(8), labels]
  # It is approached as slowly as 1 / log(1 - w) goes to 0.
  errors = [
    abs(losses.jensen_shannon(logits, labels, weight=w) - (1 - p)).max()
    for w in (0.9, 1 - 1e-6, 1 - 1e-12)
  ]
  assert errors[0] > errors[1] > errors[2]
  assert errors[2] < 0.05


@pytest.mark.parametrize('weight', [0.1, 0.5, 0.9])
def test_sum_over_labels_is_bounded(logits, weight):
  """Between those of a uniform and of a certain prediction: the paper."""

  def total(logits):
    return sum(
      losses.jensen_shannon(logits, jnp.full(len(logits), k), weight=weight)
      for k in range(K)
    )

  uniform, certain = total(jnp.stack([jnp.zeros(K), 1e4 * jnp.eye(K)[0]]))
  assert (total(logits) >= uniform - 1e-12).all()
  assert (total(logits) <= certain + 1e-12).all()


def test_trust_weight(logits, labels):
  gradient = jax.grad(
    lambda z: losses.jensen_shannon(z, labels, weight=0.7).sum()
  )(logits)
  p = jax.nn.softmax(logits)
  label = p[jnp.arange(8), labels]
  mixed = 0.7 + 0.3 * label
  trust = label * (1 - jnp.log(mixed / label) / jnp.log(0.3))
  np.testing.assert_allclose(
    gradient, trust[:, None] * (p - jnp.eye(K)[labels]), atol=1e-14
  )


def test_views(views, labels):
  weights = (0.5, 0.3, 0.2)
  p = np.asarray(jax.nn.softmax(views))
  want = scale(0.5) * divergence((np.eye(K)[labels], *p), weights)
  hot = jnp.eye(K)[labels]
  for given in (labels, hot, 2 * hot):
    got = losses.generalized_jensen_shannon(views, given, weights=weights)
    factor = 2 if given is not labels and given is not hot else 1
    np.testing.assert_allclose(got, factor * want, rtol=1e-12)


def test_one_view_is_jensen_shannon(logits, labels):
  np.testing.assert_allclose(
    losses.generalized_jensen_shannon(logits[None], labels, weights=(0.7, 0.3)),
    losses.jensen_shannon(logits, labels, weight=0.7),
    rtol=1e-12,
  )


def test_derivatives_of_views(views, labels):
  """By logits and weights, against autodiff of the formula; twice."""
  hot = jnp.eye(K)[labels]

  def plain(views, weights):
    shape = (-1, 1, 1)
    p = jax.nn.softmax(views)
    mean = weights[0] * hot + (weights[1:].reshape(shape) * p).sum(0)
    of_label = -jnp.log(jnp.where(hot > 0, mean, 1)).sum(-1)
    of_views = (p * (jnp.log(p) - jnp.log(mean))).sum(-1)
    total = weights[0] * of_label + (weights[1:, None] * of_views).sum(0)
    return total / -((1 - weights[0]) * jnp.log1p(-weights[0]))

  def ours(views, weights):
    return losses.generalized_jensen_shannon(views, labels, weights=weights)

  # Weights sum to 1, and change so that they still do.
  change = jnp.array([1.0, -3.0, 2.0])

  def derivatives(loss):
    direction = jax.random.normal(jax.random.key(2), views.shape)

    def along(views, weights):
      first = jax.grad(lambda z, w: loss(z, w).sum(), (0, 1))(views, weights)
      return (first[0] * direction).sum() + first[1] @ change, first

    return jax.jit(jax.grad(along, (0, 1), has_aux=True))

  weights = jnp.array([0.5, 0.3, 0.2])
  (got2, got), (want2, want) = (
    derivatives(loss)(views, weights) for loss in (ours, plain)
  )
  np.testing.assert_allclose(got[0], want[0], rtol=1e-10, atol=1e-14)
  np.testing.assert_allclose(got2[0], want2[0], rtol=1e-9, atol=1e-13)
  for by_weights, wanted in ((got[1], want[1]), (got2[1], want2[1])):
    np.testing.assert_allclose(by_weights @ change, wanted @ change, rtol=1e-9)


def test_official_values(labels):
  # From https://github.com/ErikEnglesson/GJS (losses.py,
  # JensenShannonDivergenceWeightedScaled), run in float64.
  z = jnp.array([[2.0, -1.0, 0.5, 0.0], [-3.0, 1.0, 4.0, 0.25]])
  other = jnp.array([[1.0, 0.0, 0.5, -1.0], [-2.0, 3.0, 1.0, 0.0]])
  given = jnp.array([0, 1])
  np.testing.assert_allclose(
    losses.jensen_shannon(z, given, weight=0.7),
    [0.317981415, 1.501512097],
    rtol=2e-7,  # The weighted labels were float32.
  )
  np.testing.assert_allclose(
    losses.generalized_jensen_shannon(
      jnp.stack([z, other]), given, weights=(0.5, 0.3, 0.2)
    ),
    [0.5192647693146414, 1.4248377529024312],
    rtol=2e-7,
  )


def test_views_at_extremes():
  logits = jnp.array([[1e4, -1e4, 0.0, -jnp.inf]], jnp.float32)
  views = jnp.stack([logits, jnp.where(jnp.isinf(logits), logits, -logits)])
  for given in (jnp.array([1]), jnp.array([[0.0, 1.0, 0.0, 0.0]])):
    value, gradient = jax.jit(
      jax.value_and_grad(
        lambda z: losses.generalized_jensen_shannon(
          z, given, weights=(0.4, 0.3, 0.3)
        ).sum()
      )
    )(views)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert gradient.dtype == jnp.float32


@pytest.mark.parametrize(
  ('weights', 'message'),
  [
    ((0.5, 0.5, 0.5), 'weights must sum to 1, got'),
    ((0.5, 0.7, -0.2), r'weights must be in \(0, 1\), got'),
  ],
)
def test_unfit_weights(views, labels, weights, message):
  with pytest.raises(ValueError, match=message):
    losses.generalized_jensen_shannon(views, labels, weights=weights)


def test_unfit_views(views, labels):
  with pytest.raises(AssertionError, match='of the label and of each view'):
    losses.generalized_jensen_shannon(views, labels, weights=(0.5, 0.5))
  with pytest.raises(AssertionError, match=r'\[views, ..., num_classes\]'):
    losses.generalized_jensen_shannon(
      views[0, 0], labels, weights=(0.5, 0.3, 0.2)
    )
