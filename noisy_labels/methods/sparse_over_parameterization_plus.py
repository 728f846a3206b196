"""SOP+: sparse over-parameterisation, with what is known without labels."""

import jax
from jax import lax
import jax.numpy as jnp

from noisy_labels import _checks
from noisy_labels import losses as losses_lib
from noisy_labels.losses import log_prob
from noisy_labels.methods import example_noise
from noisy_labels.methods import method as method_lib
from noisy_labels.methods import rows


def sparse_over_parameterization_plus(
  *,
  u_learning_rate: float = 10.0,
  v_learning_rate: float = 10.0,
  batch_size: int = 128,
  consistency_weight: float = 0.9,
  balance_weight: float = 0.1,
) -> method_lib.Method:
  """Sparse over-parameterisation with consistency and class balance (SOP+).

    l = l_SOP + consistency_weight KL(p, p') + balance_weight KL(1 / K, P)
    KL(a, b) = sum_k a_k (log a_k - log b_k)

  p and p' are the predictions for two views of an image, and P is the mean of p
  over the batch. l_SOP, of p, is that of `sparse_over_parameterization`. The
  second term, of which only p' hears, makes predictions agree that must not
  differ; the third, the same for all examples of a batch, keeps any class from
  being forgotten. They need no labels, so that wrong ones cannot mislead them.
  On several devices, each takes the mean over its own batch.

  Remembers: `example_noise.Memory(u, v)`, as `sparse_over_parameterization`.

  The paper's second view is strongly augmented (by UDA; the official code's by
  AutoAugment's policies and cutout), and the first is not. Here the training
  loop makes both, in `image` and `other_image`. In the official code, P is the
  mean of phi(p + s) instead and counts as 1e-4 where it is less; and one batch
  of both views makes the batch statistics.

  Args:
    u_learning_rate: in [0, inf); see `sparse_over_parameterization`.
    v_learning_rate: in [0, inf); see `sparse_over_parameterization`.
    batch_size: the batch that the learning rates are meant for, an integer of
      at least 1; see `sparse_over_parameterization`.
    consistency_weight: the paper's lambda_C, in [0, inf). Official: 0.9.
    balance_weight: the paper's lambda_B, in [0, inf). Official: 0.1.

  Returns:
    A `Method` that asks for two views; its metric `noise` is u^2, and
    `inconsistency` is KL(p, p').

  Raises:
    ValueError: if an argument is out of range.

  References:
    Liu et al., `Robust Training under Label Noise by Over-parameterization
    <https://arxiv.org/abs/2202.14026>`_, 2022
  """
  rates = example_noise.Rates(u_learning_rate, v_learning_rate, batch_size)
  rates.check()
  _checks.in_range('consistency_weight', consistency_weight, '[0, inf)')
  _checks.in_range('balance_weight', balance_weight, '[0, inf)')

  def loss(predict, batch, state, key):
    own_key, other_key = jax.random.split(key)
    # The first prediction's batch statistics are kept.
    logits = rows.logits_of(predict, batch, own_key)
    other = {**batch, 'image': batch['other_image']}
    other_logits = rows.logits_of(predict, other, other_key)
    losses, memory, noise = example_noise.explain(
      logits, batch, state.memory, rates
    )
    inconsistency = _divergence(logits, other_logits)
    losses += consistency_weight * inconsistency
    losses += balance_weight * rows.imbalance(logits, rows.is_real(batch))
    metrics = {'noise': noise, 'inconsistency': inconsistency}
    return losses, (memory, metrics)

  return method_lib.Method(
    example_noise.init, loss, two_views=True, opinion=example_noise.opinion
  )


def _divergence(logits, other_logits):
  """KL(p, p'), `[batch]`; its gradient goes to p' alone."""
  probs = jnp.exp(log_prob.log_probs(lax.stop_gradient(logits)))
  entropy = jnp.sum(jax.scipy.special.entr(probs), axis=-1)
  return losses_lib.cross_entropy(other_logits, probs) - entropy
