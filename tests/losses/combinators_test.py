"""Pairs of losses, clipped logits and margins."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from tests.losses import golden

LABELS = jnp.arange(8) % 5


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 3 * jax.random.normal(jax.random.key(0), (8, 5))


def test_pairs_are_weighted_sums(logits):
  loss = losses.active_passive(
    losses.cross_entropy, losses.mean_absolute_error, alpha=0.5, beta=3.0
  )
  want = 0.5 * losses.cross_entropy(logits, LABELS)
  want += 3 * losses.mean_absolute_error(logits, LABELS)
  np.testing.assert_allclose(loss(logits, LABELS), want, rtol=1e-15)


def test_symmetric_cross_entropy_is_such_a_pair(logits):
  reverse = functools.partial(losses.reverse_cross_entropy, log_zero=-4.0)
  weights = {'alpha': 0.1, 'beta': 2.0}
  loss = losses.active_passive(losses.cross_entropy, reverse, **weights)
  want = losses.symmetric_cross_entropy(
    logits, LABELS, log_zero=-4.0, **weights
  )
  np.testing.assert_allclose(loss(logits, LABELS), want, rtol=1e-14)


def test_pairs_keep_float32():
  loss = losses.active_passive(
    losses.cross_entropy,
    losses.mean_absolute_error,
    alpha=np.ones(2),
    beta=np.float64(2),
  )
  logits = jnp.zeros((2, 3), jnp.bfloat16)
  assert loss(logits, jnp.zeros(2, int)).dtype == jnp.float32


def test_golden_active_passive():
  """Of https://github.com/hitcszx/ALFs, NCEandMAE with weights 10 and 0.1.

  Its mean absolute error is 1 - p_y in such pairs, half of the distance.
  """
  golden.check(
    losses.active_passive(
      losses.normalized_cross_entropy,
      losses.mean_absolute_error,
      alpha=10,
      beta=0.1 / 2,
    ),
    [0.3957952729, 1.724695155, 4.2171553863, 4.0996575654],
    [0.1248867428, 0.2320072908, 0.1200336775, -0.605455503, 0.128527792],
  )


@pytest.mark.parametrize('max_norm', [0.5, 3.0, 1e3])
def test_no_vector_is_longer_than_the_bound(logits, max_norm):
  clipped = losses.clip_logits(logits, max_norm=max_norm)
  norm = jnp.linalg.norm(logits, axis=-1)
  want = jnp.minimum(norm, max_norm)
  np.testing.assert_allclose(
    jnp.linalg.norm(clipped, axis=-1), want, rtol=1e-12
  )
  short = norm <= max_norm
  np.testing.assert_array_equal(clipped[short], logits[short])
  np.testing.assert_array_equal(clipped.argmax(-1), logits.argmax(-1))


def test_clipped_logits_bound_cross_entropy():
  logits = jnp.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]])
  clipped = losses.clip_logits(logits, max_norm=2.0)
  worst = losses.cross_entropy(clipped, jnp.array([1, 0]))
  assert (worst <= np.log1p(2 * np.exp(2 * np.sqrt(2)))).all()


def test_the_gradient_along_the_logits_is_lost(logits):
  clipped = functools.partial(losses.clip_logits, max_norm=1.0)
  _, pull = jax.vjp(clipped, logits)
  (gradient,) = pull(logits)
  np.testing.assert_allclose(gradient, 0, atol=1e-14)


@pytest.mark.parametrize('max_norm', [1.0, jnp.inf])
def test_derivatives_of_zero_logits(max_norm):
  def total(logits, max_norm):
    clipped = losses.clip_logits(logits, max_norm=max_norm)
    return jnp.sum(clipped * jnp.arange(3))

  by_both = jax.jit(jax.grad(total, (0, 1)))
  by_logits, by_norm = by_both(jnp.zeros(3), max_norm)
  np.testing.assert_array_equal(by_logits, [0, 1, 2])
  assert by_norm == 0
  second = jax.jit(jax.jacrev(by_both, (0, 1)))(jnp.zeros(3), max_norm)
  assert all((leaf == 0).all() for leaf in jax.tree.leaves(second))


@pytest.mark.parametrize('dtype', [jnp.bfloat16, jnp.float16, jnp.float32])
def test_clipping_has_forward_derivatives_in_every_dtype(dtype):
  logits = jnp.arange(3, dtype=dtype)
  clip = functools.partial(losses.clip_logits, max_norm=1.0)
  forward, reverse = jax.jacfwd(clip)(logits), jax.jacrev(clip)(logits)
  np.testing.assert_allclose(
    forward.astype(jnp.float32), reverse.astype(jnp.float32), atol=1e-2
  )


def test_a_masked_class_has_no_length():
  logits = jnp.array([3.0, -jnp.inf, 4.0])
  clipped = losses.clip_logits(logits, max_norm=1.0)
  np.testing.assert_allclose(clipped, [0.6, -np.inf, 0.8])
  gradient = jax.grad(lambda z: losses.clip_logits(z, max_norm=1.0)[0])(logits)
  assert jnp.isfinite(gradient).all()


@pytest.mark.parametrize(
  ('tau', 'theirs'),
  [
    (1.0, [0.9463781796, 1.5672700335, 2.4240063377, 2.4101214629]),
    (1.5, [1.1431848935, 1.561494531, 2.1332722805, 2.1214567424]),
  ],
)
def test_golden_clip_logits(tau, theirs):
  """Of https://github.com/hongxin001/LogitClip, whose bound is 1 / tau.

  All of these logits are longer than tau. We follow the paper, where the bound
  is tau; theirs is ours only for tau = 1.
  """

  def loss(logits, labels, max_norm):
    clipped = losses.clip_logits(logits, max_norm=max_norm)
    return losses.cross_entropy(clipped, labels)

  values, _ = golden.evaluate(loss, max_norm=1 / tau)
  np.testing.assert_allclose(values, theirs, rtol=1e-6)
  values, _ = golden.evaluate(loss, max_norm=tau)
  assert np.allclose(values, theirs, rtol=1e-6) == (tau == 1)


def test_no_margin_is_the_loss(logits):
  loss = losses.with_margin(losses.mean_absolute_error, margin=0.0)
  want = losses.mean_absolute_error(logits, LABELS)
  np.testing.assert_allclose(loss(logits, LABELS), want, rtol=1e-14)


def test_a_margin_raises_the_logit_of_the_label(logits):
  hot = jax.nn.one_hot(LABELS, 5)
  loss = losses.with_margin(losses.generalized_cross_entropy, margin=1.5)
  want = losses.generalized_cross_entropy(logits + 1.5 * hot, LABELS, q=0.7)
  got = loss(logits, LABELS, q=0.7)
  np.testing.assert_allclose(got, want, rtol=1e-13)
  np.testing.assert_allclose(loss(logits, hot, q=0.7), want, rtol=1e-13)


def test_the_rule_of_thumb_for_margins():
  """A fresh model's label gets the probability of one of ten classes."""
  margin = np.log((1000 - 1) / (10 - 1))
  loss = losses.with_margin(losses.mean_absolute_error, margin=margin)
  value, gradient = jax.value_and_grad(loss)(jnp.zeros(1000), jnp.array(3))
  ten = jax.value_and_grad(losses.mean_absolute_error)(
    jnp.zeros(10), jnp.array(3)
  )
  np.testing.assert_allclose(value, ten[0], rtol=1e-12)
  np.testing.assert_allclose(gradient[3], ten[1][3], rtol=1e-12)


@pytest.mark.parametrize(
  ('make', 'message'),
  [
    (
      lambda: losses.with_margin(losses.cross_entropy, margin=jnp.nan),
      'margin',
    ),
    (lambda: losses.clip_logits(jnp.zeros(3), max_norm=0), 'max_norm'),
    (
      lambda: losses.active_passive(
        losses.cross_entropy, losses.cross_entropy, alpha=-1, beta=1
      ),
      'alpha',
    ),
  ],
)
def test_parameters_out_of_range(make, message):
  with pytest.raises(ValueError, match=f'{message} must be in'):
    make()
