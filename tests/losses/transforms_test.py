"""Labels made into distributions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses

LABELS = jnp.array([0, 2, 1])


def test_smoothed_labels():
  hot = jnp.eye(3)[LABELS]
  want = 0.7 * hot + 0.1
  for labels in (LABELS, LABELS.astype(jnp.int8), hot):
    got = losses.smooth_labels(labels, 3, smoothing=0.3)
    np.testing.assert_allclose(got, want, rtol=1e-6)
    np.testing.assert_allclose(got.sum(-1), 1, rtol=1e-6)


def test_cross_entropy_of_smoothed_labels_is_smoothed_cross_entropy():
  logits = jax.random.normal(jax.random.key(0), (3, 3))
  for smoothing in (0.3, -0.8):
    labels = losses.smooth_labels(LABELS, 3, smoothing=smoothing)
    np.testing.assert_allclose(
      losses.cross_entropy(logits, labels),
      losses.smoothed_cross_entropy(logits, LABELS, smoothing=smoothing),
      rtol=1e-5,
    )


def test_the_loss_of_a_mixture_is_the_mixture_of_losses():
  logits = jax.random.normal(jax.random.key(0), (3, 3))
  weight = jnp.array([0.0, 0.3, 1.0])
  others = LABELS[::-1]
  mixed = losses.mix_labels(LABELS, others, 3, weight=weight)
  for loss in (losses.cross_entropy, losses.mean_absolute_error):
    want = weight * loss(logits, LABELS) + (1 - weight) * loss(logits, others)
    np.testing.assert_allclose(loss(logits, mixed), want, rtol=1e-5)


def test_either_kind_may_be_mixed_in():
  want = losses.mix_labels(LABELS, LABELS[::-1], 3, weight=0.25)
  hot = jnp.eye(3)[LABELS[::-1]]
  got = losses.mix_labels(LABELS, hot, 3, weight=0.25)
  np.testing.assert_array_equal(got, want)


def test_parameters_for_each_example_and_their_gradients():
  rates = jnp.array([0.0, 0.1, 0.5])
  got = losses.smooth_labels(LABELS, 3, smoothing=rates)
  for row, rate in enumerate(rates):
    want = losses.smooth_labels(LABELS[row], 3, smoothing=float(rate))
    np.testing.assert_allclose(got[row], want, rtol=1e-6)
  slope = jax.jacrev(lambda s: losses.smooth_labels(LABELS, 3, smoothing=s))(
    0.1
  )
  np.testing.assert_allclose(slope, 1 / 3 - jnp.eye(3)[LABELS], rtol=1e-6)


def test_a_label_that_is_no_class_is_not_smoothed_over():
  labels = jnp.array([-1, 3, 1])
  smoothed = losses.smooth_labels(labels, 3, smoothing=0.1)
  mixed = losses.mix_labels(labels, jnp.zeros(3, int), 3, weight=0.5)
  for got in (smoothed, mixed):
    assert jnp.isnan(got[:2]).all()
    assert jnp.isfinite(got[2]).all()


def test_what_fits_no_classes():
  with pytest.raises(AssertionError):
    losses.smooth_labels(jnp.zeros((2, 4)), 3, smoothing=0.1)
  with pytest.raises(AssertionError, match='labels must be integer classes'):
    losses.smooth_labels(jnp.zeros(2, bool), 3, smoothing=0.1)
  with pytest.raises(ValueError, match='weight must be in'):
    losses.mix_labels(LABELS, LABELS, 3, weight=1.5)
  with pytest.raises(ValueError, match='smoothing must be in'):
    losses.smooth_labels(LABELS, 3, smoothing=1.5)
