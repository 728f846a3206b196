"""Meta-Weight-Net against the paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from noisy_labels import losses as losses_lib
from noisy_labels import methods
from tests.methods import tiny_training
from tests.methods.learning_to_reweight_test import TRUSTED
from tests.methods.learning_to_reweight_test import gradients

RATE, WEIGHT_RATE, DECAY = 0.3, 0.05, 1e-2
MWN = methods.meta_weight_net(
  learning_rate=RATE,
  weight_learning_rate=WEIGHT_RATE,
  weight_decay=DECAY,
  num_hidden=7,
  num_trusted=4,
)
NAMES = ('hidden_slope', 'hidden_bias', 'output_slope', 'output_bias')


def initial_net():
  with jax.enable_x64(True):
    params = tiny_training.start(MWN).trained['method']
    return [np.array(params[name]) for name in NAMES]


def weigh(net, cost):
  """V and, for each example, its gradient by the parameters."""
  r, s, v, b = net
  inner = cost[:, None] * r + s
  hidden = np.maximum(inner, 0)
  weight = 1 / (1 + np.exp(-(hidden @ v + b)))
  slope = weight * (1 - weight)
  active = slope[:, None] * (inner > 0) * v
  by_net = [active * cost[:, None], active, slope[:, None] * hidden, slope]
  return weight, by_net


def transcription(num_epochs):
  """Equations 3 to 5 of the paper, with Adam and the official weight decay.

  Equation 5 is here with the weights before the step of equation 4.
  """
  images, labels = tiny_training.examples()
  truth = images[:, : tiny_training.NUM_CLASSES].argmax(1)
  theta, net = tiny_training.initial_weights(), initial_net()
  first, second = ([np.zeros_like(x) for x in net] for _ in range(2))
  history = []
  for t, rows in enumerate(tiny_training.schedule(num_epochs), start=1):
    n = len(rows)
    p = tiny_training.softmax(images[rows] @ theta)
    cost = -np.log(p[np.arange(n), labels[rows]])
    each = gradients(images[rows], labels[rows], theta)
    weight, by_net = weigh(net, cost)
    history.append(weight * cost)
    step = (weight[:, None, None] * each).mean(0)
    ahead = theta - RATE * step
    trusted = gradients(images[TRUSTED], truth[TRUSTED], ahead).mean(0)
    # How a step moves with V, and the trusted loss with the step.
    by_weight = -RATE / n * (each * trusted).sum((1, 2))
    theta = theta - tiny_training.RATE * step
    for i, by in enumerate(by_net):
      slope = np.tensordot(by_weight, by, 1) + DECAY * net[i]
      first[i] = 0.9 * first[i] + 0.1 * slope
      second[i] = 0.999 * second[i] + 0.001 * slope**2
      unbiased = first[i] / (1 - 0.9**t), second[i] / (1 - 0.999**t)
      net[i] = net[i] - WEIGHT_RATE * unbiased[0] / (
        np.sqrt(unbiased[1]) + 1e-8
      )
  return theta, net, np.array(history)


def test_it_is_the_paper_step_by_step():
  state, losses = tiny_training.train(MWN, num_epochs=5)
  theta, net, want = transcription(5)
  tiny_training.close(losses, want)
  tiny_training.close(state.trained['model'], theta)
  for name, value in zip(NAMES, net, strict=True):
    tiny_training.close(state.trained['method'][name], value, rtol=1e-8)


@jax.jit
def total(model, net, batch):
  """What training minimises, times the number of examples."""
  predict = methods.Predict(lambda w, images, key: images @ w, model)
  losses, _ = MWN.loss(
    predict, batch, methods.MethodState(net, {}), jax.random.key(0)
  )
  return jnp.sum(losses * batch['mask'])


def trusted_loss(model, net, batch):
  """The outer problem, in numpy, of the examples with mask 1."""
  net = [np.array(net[name]) for name in NAMES]
  real = np.array(batch['mask']) > 0
  images, labels = (np.array(batch[k])[real] for k in ('image', 'label'))
  p = tiny_training.softmax(images @ model)
  cost = -np.log(p[np.arange(len(p)), labels])
  weight, _ = weigh(net, cost)
  each = gradients(images, labels, model)
  ahead = model - RATE * (weight[:, None, None] * each).mean(0)
  p = tiny_training.softmax(np.array(batch['trusted_image']) @ ahead)
  return -np.log(p[np.arange(len(p)), np.array(batch['trusted_label'])]).mean()


@pytest.mark.parametrize('mask', [[1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 1]])
def test_the_gradient_of_the_net_is_that_of_the_trusted_loss(mask):
  with jax.enable_x64(True):
    batch = tiny_training.batch_of(np.arange(6), mask=np.array(mask, float))
    state = tiny_training.start(MWN)
    model, net = state.trained['model'], state.trained['method']
    got = jax.grad(total, argnums=1)(model, net, batch)
    for name in NAMES:
      for place in np.ndindex(net[name].shape):
        ends = [
          trusted_loss(model, {**net, name: net[name].at[place].add(h)}, batch)
          for h in (1e-5, -1e-5)
        ]
        want = sum(mask) * (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(got[name][place], want, 1e-6, 1e-10)


def test_the_model_learns_from_the_weighted_loss_alone():
  with jax.enable_x64(True):
    batch = tiny_training.batch_of(np.arange(6))
    state = tiny_training.start(MWN)
    model, net = state.trained['model'], state.trained['method']
    cost = np.array(
      losses_lib.cross_entropy(batch['image'] @ model, batch['label'])
    )
    weight, _ = weigh([np.array(net[name]) for name in NAMES], cost)
    each = gradients(
      np.array(batch['image']), np.array(batch['label']), np.array(model)
    )
    value, got = jax.value_and_grad(total)(model, net, batch)
    tiny_training.close(value, (weight * cost).sum())
    tiny_training.close(got, (weight[:, None, None] * each).sum(0))


def test_of_a_model_that_knows_better_large_losses_come_to_weigh_less():
  batch = tiny_training.batch_of(np.arange(tiny_training.NUM_EXAMPLES))
  model = 3 * jnp.eye(tiny_training.NUM_FEATURES, tiny_training.NUM_CLASSES)
  net = tiny_training.start(MWN).trained['method']

  @jax.jit
  def descend(net, opt_state):
    by_net = jax.grad(total, argnums=1)(model, net, batch)
    updates, opt_state = MWN.optimizer.update(by_net, opt_state, net)
    return optax.apply_updates(net, updates), opt_state

  opt_state = MWN.optimizer.init(net)
  for _ in range(100):
    net, opt_state = descend(net, opt_state)
  cost = losses_lib.cross_entropy(batch['image'] @ model, batch['label'])
  weight, _ = weigh([np.array(net[name]) for name in NAMES], np.array(cost))
  wrong = np.arange(tiny_training.NUM_EXAMPLES) % 3 == 0
  assert weight[wrong].max() < 0.5 * weight[~wrong].min()


def num_numbers(params):
  return sum(leaf.size for leaf in jax.tree.leaves(params))


def test_sizes_are_those_asked_for():
  assert num_numbers(MWN.init(jax.random.key(0), 5, 3).params) == 3 * 7 + 1
  assert MWN.num_trusted == 4


def test_official_sizes():
  method = methods.meta_weight_net()
  params, memory = method.init(jax.random.key(0), 5, 3)
  assert num_numbers(params) == 301
  assert not jax.tree.leaves(memory)
  # As PyTorch's layers begin: one input, then a hundred.
  for name, bound in zip(NAMES, (1, 1, 0.1, 0.1), strict=True):
    assert abs(params[name]).max() <= bound
  assert abs(params['hidden_slope']).max() > 0.9
  assert method.num_trusted == 100


@pytest.mark.parametrize(
  ('name', 'value'),
  [
    ('learning_rate', 0.0),
    ('weight_decay', -1.0),
    ('num_hidden', 0),
    ('num_trusted', 0),
  ],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    methods.meta_weight_net(**{name: value})
