"""ELR+ against the paper's algorithm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from noisy_labels.methods import mixing
from tests.methods import tiny_training

BETA, WEIGHT, DECAY = 0.6, 2.0, 0.9
N, K = tiny_training.NUM_EXAMPLES, tiny_training.NUM_CLASSES


def make(**changes):
  arguments = {'beta': BETA, 'weight': WEIGHT, 'ema_decay': DECAY, **changes}
  return methods.early_learning_regularization_plus(**arguments)


def gradient(p, y, t, weight):
  """By the logits: p - y, and lemma 2 of the paper."""
  g = p * ((t[:, None, :] - t[:, :, None]) * p[:, None, :]).sum(2)
  return p - y + weight * g / (1 - (p * t).sum(1))[:, None]


def transcription(num_epochs, ratio, ramp_epochs=0.0):
  """The pseudo-code of ELR+, one network after the other.

  Everyone's partner is the example at the other end of the batch.
  """
  images, labels = tiny_training.examples()
  nets = list(tiny_training.initial_weights(2))
  averages = [net.copy() for net in nets]
  targets = np.zeros((N, 2, K))
  history = []
  for step, rows in enumerate(tiny_training.schedule(num_epochs)):

    def mix(values):
      return ratio * values + (1 - ratio) * values[::-1]

    x, y = images[rows], np.eye(K)[labels[rows]]
    ramp = 1.0
    if ramp_epochs:
      ramp = np.exp(-5 * (1 - min(step // 2 / ramp_epochs, 1)) ** 2)
    new, total = [], 0
    for n in (0, 1):
      taught = tiny_training.softmax(x @ averages[1 - n])
      targets[rows, n] = BETA * targets[rows, n] + (1 - BETA) * taught
      p, t = tiny_training.softmax(mix(x) @ nets[n]), mix(targets[rows, n])
      total = total - (mix(y) * np.log(p)).sum(1)
      total = total + ramp * WEIGHT * np.log(1 - (p * t).sum(1))
      by_logits = gradient(p, mix(y), t, ramp * WEIGHT)
      new.append(tiny_training.descend(nets[n], mix(x), by_logits))
    nets = new
    for average, net in zip(averages, nets, strict=True):
      average[:] = DECAY * average + (1 - DECAY) * net
    history.append(total)
  return np.stack(nets), np.stack(averages), targets, np.array(history)


@pytest.mark.parametrize('ramp_epochs', [0.0, 3.0])
@pytest.mark.parametrize('ratio', [1.0, 0.7])
def test_it_is_the_paper_step_by_step(monkeypatch, ratio, ramp_epochs):
  def draw_mixture(batch, key, *, alpha):
    return mixing.Mixture(ratio, jnp.arange(len(batch['mask']))[::-1])

  monkeypatch.setattr(mixing, 'draw_mixture', draw_mixture)
  state, losses = tiny_training.train(make(ramp_epochs=ramp_epochs), 5)
  nets, averages, targets, want = transcription(5, ratio, ramp_epochs)
  tiny_training.close(losses, want)
  tiny_training.close(state.memory.targets, targets)
  tiny_training.close(state.trained['model'], nets)
  tiny_training.close(state.averaged, averages)
  np.testing.assert_array_equal(state.memory.visits, 5)


def one_step(method, averaged):
  """Losses and memory when the averages are given."""
  with jax.enable_x64(True):
    state = tiny_training.start(method)._replace(averaged=averaged)
    batch = tiny_training.batch_of(np.arange(6))
    state, losses, _ = tiny_training.step(
      method, state, batch, jax.random.key(0)
    )
  return losses, state


def test_a_network_is_taught_by_the_average_of_the_other_alone():
  before = tiny_training.initial_weights(2)
  method = make()
  _, state = one_step(method, before)
  after = before.copy()
  after[0] += 1.0 * np.arange(K)
  _, changed = one_step(method, after)
  differs = changed.memory.targets[:6] != state.memory.targets[:6]
  assert not differs[:, 0].any()
  assert differs[:, 1].any(-1).all()


def test_no_gradient_goes_through_the_averages():
  method = make()
  with jax.enable_x64(True):
    state = tiny_training.start(method)
    batch = tiny_training.batch_of(np.arange(6))

    def total(averaged):
      predict = tiny_training.predictor(state._replace(averaged=averaged))
      method_state = methods.MethodState({}, state.memory)
      return jnp.sum(
        method.loss(predict, batch, method_state, jax.random.key(0))[0]
      )

    gradient = jax.jit(jax.grad(total))(state.averaged)
  np.testing.assert_array_equal(gradient, 0)


def test_the_larger_part_of_a_mixture_is_the_examples_own():
  batch = {'mask': jnp.array([1.0, 1, 0, 1, 1, 0, 1, 1])}
  draws = [
    mixing.draw_mixture(batch, jax.random.key(seed), alpha=1.0)
    for seed in range(40)
  ]
  ratios = np.array([draw.ratio for draw in draws])
  assert 0.5 <= ratios.min() < 0.6
  assert 0.9 < ratios.max() <= 1
  for draw in draws:
    assert not {2, 5} & {*np.delete(np.asarray(draw.partners), [2, 5])}


def test_without_a_regulariser_and_mixtures_it_is_cross_entropy():
  method = make(weight=0.0, alpha=1e-6)
  losses, _ = one_step(method, tiny_training.initial_weights(2))
  images, labels = tiny_training.examples()
  p = tiny_training.softmax(images[:6] @ tiny_training.initial_weights(2))
  tiny_training.close(
    losses, -np.log(p[:, np.arange(6), labels[:6]]).sum(0), rtol=1e-6
  )


@pytest.mark.parametrize(
  ('name', 'value'),
  [
    ('beta', 1.0),
    ('weight', -1.0),
    ('alpha', 0.0),
    ('ema_decay', 1.0),
    ('ramp_epochs', -1.0),
  ],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    make(**{name: value})
