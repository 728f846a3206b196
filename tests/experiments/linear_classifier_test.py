"""The classifier by a formula, against what it must be."""

import numpy as np

from experiments import linear_classifier

MEANS = np.array([[60, 120], [120, 60], [140, 140]])


def squares(count, seed=0):
  """Images of two pixels, normal in each class, with one covariance."""
  rng = np.random.default_rng(seed)
  labels = rng.choice(3, count, p=[0.5, 0.3, 0.2])
  pixels = MEANS[labels] + 25 * rng.normal(size=(count, 2))
  return np.clip(pixels, 0, 255).astype(np.uint8)[:, None, :, None], labels


def test_probabilities_are_those_of_the_normal_distributions():
  images, labels = squares(50_000)
  classifier = linear_classifier.fit(images, labels, 3)
  images, labels = squares(2000, seed=1)
  got = linear_classifier.probabilities(classifier, images)
  distances = np.sum((images[:, 0, :, 0][:, None] - MEANS) ** 2, axis=2)
  powers = np.array([0.5, 0.3, 0.2]) * np.exp(-distances / 2 / 25**2)
  want = powers / powers.sum(axis=1, keepdims=True)
  np.testing.assert_allclose(got, want, atol=0.06)
  # As sure as it is right, which averages over examples would tell.
  right = np.mean(got.argmax(axis=1) == labels)
  np.testing.assert_allclose(got.max(axis=1).mean(), right, atol=0.03)


def test_a_class_without_examples_has_probability_zero():
  images, labels = squares(300)
  classifier = linear_classifier.fit(images, labels, 4)
  got = linear_classifier.probabilities(classifier, images)
  np.testing.assert_array_equal(got[:, 3], 0)
  np.testing.assert_allclose(got.sum(axis=1), 1)


def test_images_are_averaged_and_equal_pixels_are_no_trouble():
  rng = np.random.default_rng(0)
  labels = np.arange(40) % 2
  small = rng.integers(0, 128, (40, 8, 8, 3)).astype(np.uint8)
  small[labels == 1, 2, 3] += 100
  small[:, 0, 0] = 7
  large = small.repeat(3, axis=1).repeat(2, axis=2)
  one = linear_classifier.fit(small, labels, 2)
  other = linear_classifier.fit(large, labels, 2)
  assert one.weights.shape == (192, 2)
  np.testing.assert_allclose(one.weights, other.weights, rtol=1e-6, atol=1e-9)
  got = linear_classifier.probabilities(other, large)
  np.testing.assert_array_equal(got.argmax(axis=1), labels)
