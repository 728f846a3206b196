import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation
from noisy_labels import losses
from tests.estimation import problems

LOGITS = 2 * np.asarray(jax.random.normal(jax.random.key(0), (6, 4)))
LABELS = np.arange(6) % 4


def test_bayes_rule():
  probs = np.asarray(jax.nn.softmax(LOGITS))
  joint = probs * problems.TRANSITION[:, LABELS].T
  want = joint / joint.sum(axis=1, keepdims=True)
  for log_probs in (np.log(probs), LOGITS):
    got = estimation.posterior(log_probs, LABELS, problems.TRANSITION)
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_forward_corrected_gradient_is_p_minus_q():
  transition = jnp.asarray(problems.TRANSITION)

  def loss(logits):
    return losses.forward_corrected_cross_entropy(
      logits, jnp.asarray(LABELS), transition=transition
    ).sum()

  q = estimation.posterior(LOGITS, LABELS, transition)
  np.testing.assert_allclose(
    jax.grad(loss)(jnp.asarray(LOGITS)), jax.nn.softmax(LOGITS) - q, atol=1e-6
  )


def test_no_noise_is_the_label_however_improbable():
  logits = np.array([[0.0, -500.0, 3.0]])
  got = estimation.posterior(logits, np.array([1]), np.eye(3))
  np.testing.assert_array_equal(got, [[0, 1, 0]])


def test_leading_axes():
  got = estimation.posterior(
    LOGITS.reshape(2, 3, 4), LABELS.reshape(2, 3), problems.TRANSITION
  )
  want = estimation.posterior(LOGITS, LABELS, problems.TRANSITION)
  np.testing.assert_allclose(got.reshape(6, 4), want, rtol=1e-6)


def test_errors():
  with pytest.raises(ValueError, match=r'transition must have shape \(4, 4\)'):
    estimation.posterior(LOGITS, LABELS, np.eye(3))
  with pytest.raises(ValueError, match=r'labels must have shape \(6,\)'):
    estimation.posterior(LOGITS, LABELS[:5], np.eye(4))
