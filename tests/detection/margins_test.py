import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import detection

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(4, 30, 5)).astype(np.float32)
LABELS = RNG.integers(5, size=30)


def test_it_is_the_mean_margin():
  want = np.zeros(30)
  for epoch in LOGITS:
    for n, (label, row) in enumerate(zip(LABELS, epoch, strict=True)):
      want[n] += row[label] - np.delete(row, label).max()
  got = detection.area_under_margin(LOGITS, LABELS)
  np.testing.assert_allclose(got, -want / 4, atol=1e-6)


def test_masked_classes_and_large_logits():
  logits = LOGITS.copy()
  logits[..., 4] = -np.inf
  labels = LABELS % 4
  got = detection.area_under_margin(logits, labels)
  want = detection.area_under_margin(LOGITS[..., :4], labels)
  np.testing.assert_array_equal(got, want)
  assert np.isfinite(detection.area_under_margin(1e4 * LOGITS, LABELS)).all()


def test_threshold_samples_are_as_many_as_a_class_has():
  key = jax.random.key(0)
  labels = np.arange(47) % 5
  seen = np.zeros(47, int)
  for part in range(6):
    got = detection.threshold_samples(key, labels, 5, part=part)
    assert got.chosen.sum() == 47 // 6
    np.testing.assert_array_equal(got.labels, np.where(got.chosen, 5, labels))
    seen += np.asarray(got.chosen)
  assert seen.max() == 1


def test_the_threshold_is_a_percentile_of_theirs():
  scores = RNG.normal(size=500).astype(np.float32)
  chosen = RNG.random(500) < 0.3
  got = jax.jit(detection.margin_threshold)(scores, chosen)
  # As the paper has it, of AUM, whose sign is the other.
  np.testing.assert_allclose(
    got, -np.percentile(-scores[chosen], 99), rtol=1e-5
  )
  lowest = detection.margin_threshold(scores, chosen, percentile=100)
  assert lowest == scores[chosen].min()


def test_wrong_labels_look_like_threshold_samples():
  """A linear model, trained by gradient descent with a class too many."""
  rng = np.random.default_rng(1)
  true = rng.integers(3, size=600)
  images = 3 * np.eye(3)[true] + rng.normal(size=(600, 3))
  wrong = rng.random(600) < 0.2
  given = np.where(wrong, (true + 1) % 3, true)
  samples = detection.threshold_samples(jax.random.key(2), given, 3)
  epochs, weights = [], np.zeros((3, 4))
  target = np.eye(4)[samples.labels]
  for _ in range(20):
    logits = images @ weights
    epochs.append(logits)
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    weights -= 0.3 * images.T @ (probs - target) / 600
  scores = detection.area_under_margin(np.array(epochs), samples.labels)
  least = detection.margin_threshold(scores, samples.chosen, percentile=90)
  found, rest = np.asarray(scores >= least), ~np.asarray(samples.chosen)
  assert found[wrong & rest].mean() > 0.8
  assert found[~wrong & rest].mean() < 0.2


def test_errors():
  with pytest.raises(ValueError, match='logits must have shape'):
    detection.area_under_margin(LOGITS[0], LABELS)
  with pytest.raises(ValueError, match='must be floats'):
    detection.area_under_margin(LOGITS.astype(int), LABELS)
  with pytest.raises(ValueError, match='labels must have shape'):
    detection.area_under_margin(LOGITS, LABELS[:5])
  key = jax.random.key(0)
  with pytest.raises(ValueError, match='labels must be of more than 5'):
    detection.threshold_samples(key, np.arange(5), 5)
  with pytest.raises(ValueError, match='part must be in'):
    detection.threshold_samples(key, LABELS, 5, part=6)
  with pytest.raises(ValueError, match='percentile'):
    detection.margin_threshold(np.ones(3), np.ones(3, bool), percentile=101)
  with pytest.raises(ValueError, match='chosen must have a threshold sample'):
    detection.margin_threshold(np.ones(3), np.zeros(3, bool))
  with pytest.raises(ValueError, match='chosen must have shape'):
    detection.margin_threshold(jnp.ones(3), np.zeros(4, bool))
