"""SOP+ against the paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from tests.methods import tiny_training

U_RATE, V_RATE, BATCH_SIZE = 3.0, 5.0, 6
K = tiny_training.NUM_CLASSES


def make(**changes):
  return methods.sparse_over_parameterization_plus(
    **{
      'u_learning_rate': U_RATE,
      'v_learning_rate': V_RATE,
      'batch_size': BATCH_SIZE,
      **changes,
    }
  )


def of_sop(p, y, u, v):
  """Losses of SOP, and their gradients by p, u and v."""
  hard = np.eye(K)[p.argmax(1)]
  noise = u**2 * y - v**2 * (1 - y)
  explained = np.maximum(p + noise, 1e-4)
  total = explained.sum(1, keepdims=True)
  losses = -np.log((explained / total * y).sum(1))
  by_p = (p + noise > 1e-4) * (1 / total - y / explained)
  by_u = (by_p * 2 * u * y).sum(1, keepdims=True)
  by_v = 2 * (hard + noise - y) * -2 * v * (1 - y)
  return losses, by_p, by_u, by_v


def through_softmax(p, by_p):
  return p * by_p - p * (p * by_p).sum(1, keepdims=True)


def transcription(u, v, num_epochs, consistency, balance):
  """L_SOP + lambda_C L_C + lambda_B L_B, with gradients by hand."""
  images, labels = tiny_training.examples()
  others = images + 0.1 * images[:, ::-1]
  weights, history = tiny_training.initial_weights(), []
  for rows in tiny_training.schedule(num_epochs):
    p = tiny_training.softmax(images[rows] @ weights)
    q = tiny_training.softmax(others[rows] @ weights)
    y = np.eye(K)[labels[rows]]
    losses, by_p, by_u, by_v = of_sop(p, y, u[rows], v[rows])
    losses = losses + consistency * (p * np.log(p / q)).sum(1)
    mean = p.mean(0)
    losses = losses + balance * (np.log(1 / K / mean) / K).sum()
    history.append(losses)
    # The mean over the batch of one number: each p_i has 1 / batch of it.
    by_p = by_p - balance / K / mean
    u[rows] = np.clip(u[rows] - U_RATE / BATCH_SIZE * by_u, -1, 1)
    v[rows] = np.clip(v[rows] - V_RATE / BATCH_SIZE * by_v, -1, 1)
    both = np.concatenate([images[rows], others[rows]])
    by_logits = np.concatenate(
      [through_softmax(p, by_p), consistency * (q - p)]
    )
    # Of twice as many rows, which divide it.
    weights = tiny_training.descend(weights, both, 2 * by_logits)
  return weights, u, v, np.array(history)


def with_noise(method):
  """The method, with u and v that are far from where they begin."""
  rng = np.random.default_rng(1)
  u = 0.3 * rng.normal(size=(tiny_training.NUM_EXAMPLES, 1))
  v = 0.3 * rng.normal(size=(tiny_training.NUM_EXAMPLES, K))
  kind = type(method.init(jax.random.key(0), 2, K).memory)

  def init(key, num_examples, num_classes):
    memory = kind(jnp.asarray(u, float), jnp.asarray(v, float))
    return methods.MethodState({}, memory)

  return method._replace(init=init), u, v


# Those of the official code are what it has when none are given.
@pytest.mark.parametrize(
  ('given', 'weights_of_terms'),
  [
    ({}, (0.9, 0.1)),
    ({'consistency_weight': 0.6, 'balance_weight': 0.3}, (0.6, 0.3)),
  ],
)
def test_it_is_the_paper_step_by_step(given, weights_of_terms):
  method, u, v = with_noise(make(**given))
  state, losses = tiny_training.train(method, num_epochs=6)
  weights, want_u, want_v, want = transcription(
    u.copy(), v.copy(), 6, *weights_of_terms
  )
  tiny_training.close(losses, want)
  tiny_training.close(state.memory.u, want_u)
  tiny_training.close(state.memory.v, want_v)
  tiny_training.close(state.trained['model'], weights)


def test_without_its_two_terms_it_is_sop():
  plus, _, _ = with_noise(make(consistency_weight=0.0, balance_weight=0.0))
  plain, _, _ = with_noise(
    methods.sparse_over_parameterization(
      u_learning_rate=U_RATE, v_learning_rate=V_RATE, batch_size=BATCH_SIZE
    )
  )
  got, losses = tiny_training.train(plus)
  want, want_losses = tiny_training.train(plain)
  tiny_training.close(losses, want_losses)
  tiny_training.close(got.trained['model'], want.trained['model'])


def gradients(logits, other, mask=None, **weights):
  """Loss and gradients of the new terms alone, by the logits of both views."""
  method = make(u_learning_rate=0.0, v_learning_rate=0.0, **weights)
  state = method.init(jax.random.key(0), len(logits), logits.shape[-1])

  def total(both, weight):
    batch = {
      'image': both[0],
      'other_image': both[1],
      'label': jnp.zeros(len(logits), int),
      'row': jnp.arange(len(logits)),
      'mask': jnp.ones(len(logits)) if mask is None else jnp.asarray(mask),
    }
    losses, _ = method.loss(lambda x, key: x, batch, state, jax.random.key(0))
    return jnp.sum(jnp.where(batch['mask'] > 0, losses, 0))

  return jax.jit(jax.value_and_grad(total))((logits, other), 1.0)


def test_only_the_second_view_learns_to_be_consistent():
  rng = np.random.default_rng(0)
  logits, other = jnp.asarray(rng.normal(size=(2, 5, K)))
  weights = {'consistency_weight': 1.0, 'balance_weight': 0.0}
  _, (first, second) = gradients(logits, other, **weights)
  weights['consistency_weight'] = 0.0
  _, (want, nothing) = gradients(logits, other, **weights)
  np.testing.assert_allclose(first, want, atol=1e-6)
  np.testing.assert_array_equal(nothing, 0)
  assert np.abs(second).min() > 1e-3


def test_a_class_that_is_forgotten_hears_of_it_however_improbable():
  logits = jnp.tile(jnp.array([0.0, 0.0, -60.0]), (4, 1))
  weights = {'consistency_weight': 0.0, 'balance_weight': 1.0}
  _, (gradient, _) = gradients(logits, logits, **weights)
  weights['balance_weight'] = 0.0
  _, (before, _) = gradients(logits, logits, **weights)
  np.testing.assert_allclose((gradient - before)[:, 2], -1 / 3, rtol=1e-5)


def test_padding_has_no_part_in_the_mean_prediction():
  rng = np.random.default_rng(0)
  logits = rng.normal(size=(6, K))
  loss, _ = gradients(jnp.asarray(logits[:4]), jnp.asarray(logits[:4]))
  logits[4:] = np.nan
  padded, (gradient, _) = gradients(
    jnp.asarray(logits), jnp.asarray(logits), mask=[1.0, 1, 1, 1, 0, 0]
  )
  np.testing.assert_allclose(padded, loss, rtol=1e-6)
  np.testing.assert_array_equal(gradient[4:], 0)


def test_finite_for_a_class_that_the_model_rules_out():
  logits = jnp.array([[-jnp.inf, 1.0, 0.0], [-jnp.inf, 50.0, 1e4]])
  loss, (first, second) = gradients(logits, logits)
  assert np.isfinite(loss)
  assert np.isfinite(first).all()
  assert np.isfinite(second).all()


def test_it_asks_for_two_views_and_mixup_makes_none():
  assert make().two_views
  with pytest.raises(ValueError, match='mixup takes a method'):
    methods.mixup(make(), alpha=1.0)


@pytest.mark.parametrize(
  ('name', 'value'),
  [
    ('u_learning_rate', -1.0),
    ('v_learning_rate', -1.0),
    ('batch_size', 0),
    ('consistency_weight', -1.0),
    ('balance_weight', -1.0),
  ],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    make(**{name: value})
