"""GLC against the paper's equations."""

import jax
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import tiny_training
from tests.methods.method_cases import TRANSITION
from tests.methods.method_cases import TRUSTED


def transcription(num_epochs):
  images, labels = tiny_training.examples()
  weights, history = tiny_training.initial_weights(), []
  for rows in tiny_training.schedule(num_epochs):
    p = tiny_training.softmax(images[rows] @ weights)
    losses, by_logits = np.zeros(len(rows)), np.zeros_like(p)
    for n, row in enumerate(rows):
      if TRUSTED[row] >= 0:
        posterior = np.eye(3)[TRUSTED[row]]
        losses[n] = -np.log(p[n, TRUSTED[row]])
      else:
        joint = p[n] * TRANSITION[:, labels[row]]
        posterior = joint / joint.sum()
        losses[n] = -np.log(joint.sum())
      by_logits[n] = p[n] - posterior
    history.append(losses)
    weights = tiny_training.descend(weights, images[rows], by_logits)
  return weights, np.array(history)


def test_it_is_the_paper_step_by_step():
  method = methods.gold_loss_correction(
    transition=TRANSITION, trusted_labels=TRUSTED
  )
  state, losses = tiny_training.train(method)
  weights, want = transcription(4)
  tiny_training.close(losses, want)
  tiny_training.close(state.trained['model'], weights)


def test_trust_follows_the_index_and_not_the_row():
  method = methods.gold_loss_correction(
    transition=TRANSITION, trusted_labels=TRUSTED
  )
  batch = tiny_training.batch_of(np.array([0, 1]), row=np.array([1, 0]))
  _, _, metrics = tiny_training.step(
    method, tiny_training.start(method), batch, jax.random.key(0)
  )
  np.testing.assert_array_equal(metrics['trusted'], [1, 0])


def test_what_does_not_fit_is_refused():
  def make(transition=TRANSITION, trusted_labels=TRUSTED):
    return methods.gold_loss_correction(
      transition=transition, trusted_labels=trusted_labels
    )

  with pytest.raises(ValueError, match=r'trusted_labels .*got 3 at position 1'):
    make(trusted_labels=[0, 3])
  with pytest.raises(ValueError, match='trusted_labels must be integers'):
    make(trusted_labels=[0.0, 1.0])
  with pytest.raises(ValueError, match='transition'):
    make(transition=TRANSITION + 1)
  with pytest.raises(ValueError, match='4 classes'):
    make().init(jax.random.key(0), 5, 4)
