"""Margins and forgetting events, against a transcription."""

import functools

import jax
import numpy as np
import pytest

from noisy_labels import detection
from noisy_labels import losses
from noisy_labels import methods
from tests.methods import tiny_training

GCE = functools.partial(losses.generalized_cross_entropy, q=0.7)
EPOCHS = 6


def trained(method, scale=1.0):
  """The state after some epochs, and each step's logits as they were."""
  logits = []
  state = tiny_training.start(method, scale)
  for number, rows in enumerate(tiny_training.schedule(EPOCHS)):
    batch = tiny_training.batch_of(rows)
    weights = np.asarray(state.trained['model'])
    logits.append(np.asarray(batch['image']) @ weights)
    state, _, _ = tiny_training.step(
      method, state, batch, jax.random.key(number)
    )
  return state, logits


def history(logits):
  """Margins `[epoch, example]`, one example after the other."""
  _, labels = tiny_training.examples()
  margins = [[] for _ in labels]
  steps = tiny_training.schedule(EPOCHS)
  for rows, of_step in zip(steps, logits, strict=True):
    for place, row in enumerate(rows):
      z, y = of_step[place], labels[row]
      margins[row].append(z[y] - max(np.delete(z, y)))
  return np.array(margins).T


def opinion(method, state):
  _, labels = tiny_training.examples()
  return method.opinion(state.memory, labels)


def steep(logits, labels):
  return 8 * losses.cross_entropy(logits, labels)


# Of some examples the first learns nothing, and the second forgets others.
@pytest.mark.parametrize(('loss', 'counts'), [(GCE, {0, 6}), (steep, {0, 1})])
def test_they_are_the_margins_of_training(loss, counts):
  with jax.enable_x64(True):
    method = methods.track_margins(methods.stateless(loss))
    state, logits = trained(method)
    said = opinion(method, state)
  margins = history(logits)
  np.testing.assert_allclose(said['margin'], margins.mean(axis=0), atol=1e-9)
  events = detection.forgetting_events(margins > 0)
  np.testing.assert_array_equal(said['forgotten'], events)
  assert {*events.tolist()} == counts
  np.testing.assert_array_equal(state.memory.visits, EPOCHS)


def test_the_margin_is_the_negative_score():
  with jax.enable_x64(True):
    method = methods.track_margins(methods.stateless(GCE))
    state, logits = trained(method)
    _, labels = tiny_training.examples()
    whole = np.zeros((EPOCHS, *labels.shape, 3))
    steps = tiny_training.schedule(EPOCHS).reshape(EPOCHS, -1)
    of_epochs = np.array(logits).reshape(EPOCHS, -1, 3)
    for epoch, (rows, values) in enumerate(zip(steps, of_epochs, strict=True)):
      whole[epoch, rows] = values
    score = detection.area_under_margin(whole, labels)
    margin = opinion(method, state)['margin']
  np.testing.assert_allclose(score, -margin, atol=1e-9)


def test_training_is_what_it_was():
  method = methods.early_learning_regularization(beta=0.7, weight=3.0)
  plain, _ = trained(method)
  tracked, _ = trained(methods.track_margins(method))
  np.testing.assert_array_equal(
    tracked.trained['model'], plain.trained['model']
  )
  np.testing.assert_array_equal(tracked.memory.inner, plain.memory)


def test_the_opinion_of_the_method_is_kept():
  method = methods.truncated_pruning(start_epochs=1, every=2)
  state, _ = trained(methods.track_margins(method))
  said = opinion(methods.track_margins(method), state)
  assert {*said} == {'kept', 'margin', 'forgotten'}


def test_two_networks_are_averaged():
  with jax.enable_x64(True):
    method = methods.track_margins(methods.co_teaching(noise_rate=0.4))
    state, logits = trained(method)
    said = opinion(method, state)
  margins = history([both.mean(axis=0) for both in logits])
  np.testing.assert_allclose(said['margin'], margins.mean(axis=0), atol=1e-9)


def test_what_was_never_learnt_was_forgotten_at_each_visit():
  method = methods.track_margins(methods.stateless(GCE))
  state = tiny_training.start(method)
  memory = state.memory._replace(visits=state.memory.visits + 7)
  said = opinion(method, state._replace(memory=memory))
  np.testing.assert_array_equal(said['forgotten'], 7)


def test_two_views_are_refused():
  with pytest.raises(ValueError, match='track_margins takes a method that'):
    methods.track_margins(methods.pro_mix())
