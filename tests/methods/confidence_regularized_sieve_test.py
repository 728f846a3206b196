"""CORES2 against the paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import tiny_training

PRIOR = np.array([0.5, 0.3, 0.2])


def transcription(num_epochs, prior, beta, start_epochs, ramp, sieve_epochs):
  """With the prior of all labels, as in the paper, and the code's bound.

  The official code takes out of the prior what it dropped in the last epoch.
  """
  images, labels = tiny_training.examples()
  weights, history, sizes = tiny_training.initial_weights(), [], []
  for number, rows in enumerate(tiny_training.schedule(num_epochs)):
    epoch = number // 2
    b = beta * np.clip((epoch - start_epochs) / ramp, 0, 1)
    log_p = np.log(tiny_training.softmax(images[rows] @ weights))
    y = np.eye(tiny_training.NUM_CLASSES)[labels[rows]]
    cross_entropy = -(y * log_p).sum(1)
    costs = -np.log(np.exp(log_p) + 1e-8)
    kept = np.ones(len(rows), bool)
    if epoch >= sieve_epochs:
      kept = cross_entropy <= costs.mean(1)
    sizes.append(kept.sum())
    each = cross_entropy - b * (prior * costs).sum(1)
    share = len(rows) / max(kept.sum(), 1)
    history.append(kept * each * share)
    # Of the costs, by log p; all the prior where p is far above 1e-8.
    felt = prior * np.exp(log_p) / (np.exp(log_p) + 1e-8)
    by_logits = np.exp(log_p) * (1 - b * felt.sum(1, keepdims=True))
    by_logits -= y - b * felt
    weights = tiny_training.descend(
      weights, images[rows], by_logits * (kept * share)[:, None]
    )
  return weights, np.array(history), sizes


@pytest.mark.parametrize('prior', [None, PRIOR])
def test_it_is_the_paper_step_by_step(prior):
  method = methods.confidence_regularized_sieve(
    beta=0.8,
    start_epochs=1,
    ramp_epochs=3,
    sieve_epochs=2,
    noise_prior=prior,
  )
  state, losses = tiny_training.train(method, num_epochs=6)
  even = np.full(3, 1 / 3)
  weights, want, sizes = transcription(
    6, even if prior is None else prior, 0.8, 1, 3, 2
  )
  # A ramp by counts of visits is in float32.
  tiny_training.close(losses, want, 1e-5)
  tiny_training.close(state.trained['model'], weights, 1e-5)
  np.testing.assert_array_equal(state.memory.visits, 6)
  assert sizes[0] == sizes[3] == 6
  assert 0 < min(sizes) < 6
  assert method.opinion(state.memory, None)['kept'].sum() == sum(sizes[-2:])


def test_confidence_is_not_rewarded_without_end():
  method = methods.confidence_regularized_sieve(
    start_epochs=0, ramp_epochs=0, sieve_epochs=9
  )

  @jax.jit
  def gradient(logits):
    batch = {
      'image': logits,
      'label': jnp.zeros(1, int),
      'row': jnp.zeros(1, int),
      'mask': jnp.ones(1),
    }
    state = method.init(jax.random.key(0), 1, 3)
    return jax.grad(
      lambda z: method.loss(lambda x, key: z, batch, state, None)[0][0]
    )(logits)

  assert gradient(jnp.array([[5.0, 0.0, 0.0]]))[0, 0] < -0.5
  assert abs(gradient(jnp.array([[50.0, 0.0, 0.0]]))).max() < 1e-6


@pytest.mark.parametrize(
  'name', ['beta', 'start_epochs', 'ramp_epochs', 'sieve_epochs']
)
def test_numbers_out_of_range_are_refused(name):
  with pytest.raises(ValueError, match=name):
    methods.confidence_regularized_sieve(**{name: -1.0})
