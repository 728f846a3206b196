"""Small problems of which the answer is known."""

import jax
import numpy as np

from noisy_labels import noise

TRANSITION = np.array([
  [0.7, 0.2, 0.05, 0.05],
  [0.05, 0.8, 0.1, 0.05],
  [0.1, 0.1, 0.6, 0.2],
  [0.02, 0.03, 0.25, 0.7],
])  # fmt: skip
PRIOR = np.array([0.1, 0.3, 0.2, 0.4])
K = 4


def labels(num_examples, seed=0):
  """True and given labels of TRANSITION and PRIOR."""
  rng = np.random.default_rng(seed)
  true = rng.choice(K, num_examples, p=PRIOR)
  return true, noise.corrupt(true, TRANSITION, seed=seed).labels


def clean_probs(true, seed=0, spread=0.02):
  """Predictions of the true class, all different and nearly certain."""
  rng = np.random.default_rng(seed)
  wrong = spread * rng.random((len(true), K))
  wrong[np.arange(len(true)), true] = 0
  wrong[np.arange(len(true)), true] = 1 - wrong.sum(axis=1)
  return wrong.astype(np.float32)


def random_problem(num_examples, num_classes, seed=0, skew=0.0, missing=()):
  """Given labels and imperfect predictions; class k is (k + 1)^-skew common."""
  rng = np.random.default_rng(seed)
  frequency = (1.0 + np.arange(num_classes)) ** -skew
  frequency[list(missing)] = 0
  given = rng.choice(num_classes, num_examples, p=frequency / frequency.sum())
  probs = rng.random((num_examples, num_classes)) ** 4
  seen = np.where(
    rng.random(num_examples) < 0.7,
    given,
    rng.integers(num_classes, size=num_examples),
  )
  probs[np.arange(num_examples), seen] += rng.random(num_examples) * 2
  probs /= probs.sum(axis=1, keepdims=True)
  return given.astype(np.int32), probs.astype(np.float32)


def anchor_rows(probs, percentile):
  """Row by row, with numpy's percentile; as the codes do but for a copy."""
  rows = []
  for column in probs.T:
    candidates = column.copy()
    if percentile is not None:
      least = np.percentile(column, percentile, method='higher')
      candidates[column >= least] = 0
    rows.append(probs[np.argmax(candidates)])
  return np.stack(rows)


def sharded(function, *arrays, shards=4):
  """Run it over equal shards, with the axis named 'shards'."""
  split = [
    np.asarray(array).reshape(shards, -1, *np.shape(array)[1:])
    for array in arrays
  ]
  outs = jax.jit(jax.vmap(function, axis_name='shards'))(*split)
  for leaf in jax.tree.leaves(outs):
    np.testing.assert_array_equal(leaf, np.broadcast_to(leaf[:1], leaf.shape))
  return jax.tree.map(lambda leaf: leaf[0], outs)


def assert_close(got, want, atol=1e-6):
  for left, right in zip(
    jax.tree.leaves(got), jax.tree.leaves(want), strict=True
  ):
    np.testing.assert_allclose(left, right, rtol=1e-5, atol=atol)


def permuted(estimate, order):
  """The estimate where class order[k] is called k."""
  return estimate._replace(
    transition=estimate.transition[np.ix_(order, order)],
    prior=estimate.prior[order],
  )
