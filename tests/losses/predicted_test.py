"""Tests of the class predicted: that it is argmax, and its derivatives."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels.losses import predicted


@pytest.mark.parametrize('size', [1, 10, 63, 64, 67, 1000, 1009])
@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_predicted_class_is_the_first_of_the_largest(size, dtype):
  rng = np.random.default_rng(size)
  # Few values, so that there are ties in and across blocks.
  logits = jnp.asarray(rng.integers(-3, 3, (3, 40, size)), dtype)
  logits = logits.at[0].set(jnp.where(logits[0] > 0, -jnp.inf, logits[0]))

  found = jax.jit(predicted.predicted_class)(logits)

  np.testing.assert_array_equal(found, np.argmax(np.asarray(logits), axis=-1))


@pytest.mark.parametrize('place', [0, 23, 24, 599, 600])
def test_predicted_class_is_found_in_every_block(place):
  logits = jnp.zeros((2, 601)).at[:, place].set(1)

  found = predicted.predicted_class(logits)

  np.testing.assert_array_equal(found, [place, place])


def test_log_probs_and_their_gradient_are_those_of_the_formula():
  with jax.enable_x64(True):
    check_log_probs_and_their_gradient()


def check_log_probs_and_their_gradient():
  rng = np.random.default_rng(0)
  logits = 4 * rng.normal(size=(6, 700))
  labels = rng.integers(0, 700, 6)
  labels[0] = logits[0].argmax()
  weights = rng.normal(size=(2, 6))

  def mixed(logits):
    label, guess, _ = predicted.label_and_predicted_log_prob(logits, labels)
    return jnp.sum(weights[0] * label + weights[1] * guess)

  value, gradient = jax.value_and_grad(mixed)(jnp.asarray(logits))

  log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
  rows, guesses = np.arange(6), logits.argmax(axis=-1)
  expected = weights[0] @ log_probs[rows, labels]
  expected += weights[1] @ log_probs[rows, guesses]
  slopes = -np.exp(log_probs) * weights.sum(axis=0)[:, None]
  slopes[rows, labels] += weights[0]
  slopes[rows, guesses] += weights[1]
  np.testing.assert_allclose(value, expected, rtol=1e-12)
  np.testing.assert_allclose(gradient, slopes, rtol=1e-10, atol=1e-13)


def test_narrow_gradient_is_rounded_once():
  rng = np.random.default_rng(1)
  logits = jnp.asarray(rng.normal(size=(5, 300)), jnp.bfloat16)
  labels = rng.integers(0, 300, 5)

  def mixed(logits):
    label, guess, _ = predicted.label_and_predicted_log_prob(logits, labels)
    return jnp.sum(0.7 * label + 0.3 * guess)

  narrow = jax.grad(mixed)(logits)

  wide = jax.grad(mixed)(logits.astype(jnp.float32))
  np.testing.assert_array_equal(narrow, wide.astype(jnp.bfloat16))


def test_label_outside_the_classes_makes_the_gradient_nan():
  logits, labels = jnp.zeros((2, 3)), jnp.array([3, 1])

  def label_of(logits, part):
    return predicted.label_and_predicted_log_prob(logits, labels)[part].sum()

  gradient = jax.grad(functools.partial(label_of, part=0))(logits)

  assert np.isnan(gradient[0]).all()
  assert np.isfinite(gradient[1]).all()
