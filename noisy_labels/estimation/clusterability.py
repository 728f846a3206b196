"""HOC: neighbours have the same true label, so their labels show the noise."""

import chex
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import optax

from noisy_labels import _checks
from noisy_labels.estimation import consensus as consensus_lib
from noisy_labels.estimation import estimate
from noisy_labels.estimation import inputs
from noisy_labels.estimation import neighbors

_LEARNING_RATE = 0.1


def hoc(
  features: chex.Array,
  labels: chex.Array,
  *,
  num_classes: int,
  num_steps: int = 1500,
  weights: chex.Array | None = None,
) -> estimate.Estimate:
  """High-order consensus: fit T and the prior to labels of neighbours.

    P(a) = sum_i p_i T_ia,  P(a, b) = sum_i p_i T_ia T_ib,
    P(a, b, c) = sum_i p_i T_ia T_ib T_ic

  for the labels a of an example and b, c of its two nearest neighbours by
  cosine. The sum of the Euclidean distances between these and the observed
  frequencies is minimised by Adam (learning rate 0.1, as in the authors' code)
  over the logits of p and of the rows of T, from an even p and a T with 0.943
  on the diagonal, and the best step is returned.

  It assumes that an example and its two nearest neighbours are of one class,
  that the noise does not depend on x, and that the right label is the most
  frequent of each class. It needs no model of the labels: features may come
  from another task. `num_steps` is 1500 as in the authors' code, which looks
  for neighbours in samples of 15,000; here all examples take part.

  For shards: `neighbors.two_nearest` with a pool, then add up
  `consensus_counts`, or gather the triples of labels where K^3 is too large;
  then `hoc_from_counts` or `hoc_from_triples`.

  Args:
    features: floats `[N, dim]`, N of at least 3.
    labels: given classes, integers `[N]`.
    num_classes: K, at least 2.
    num_steps: of Adam.
    weights: how often each example counts, integers `[N]`; once, if None. The
      neighbours stay what they are.

  Returns:
    The estimate. A class that is never given has hardly any prior, and its row
    means nothing. Memory: that of `two_nearest`; `[K, K, K]` counts or
    `[N, 3]` labels, whichever is less; then 26 `[K, K]` (10 GB for 10,000
    classes) and blocks of 16 MB. Each step takes time in K^3 + N K.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Zhu et al., `Clusterability as an Alternative to Anchor Points When Learning
    with Noisy Labels <https://arxiv.org/abs/2102.05291>`_, 2021
  """
  _checks.at_least('num_classes', num_classes, 2)
  inputs.check_features(features, 3)
  inputs.check_labels('labels', labels, len(features), num_classes)
  inputs.check_weights(weights, len(features))
  labels = jnp.asarray(labels)
  nearest = neighbors.two_nearest(features)
  triples = jnp.concatenate([labels[:, None], labels[nearest]], axis=1)
  if num_classes**3 <= len(triples):
    counts = consensus_counts(triples, num_classes, weights=weights)
    return hoc_from_counts(counts, num_steps=num_steps)
  return hoc_from_triples(
    triples, num_classes=num_classes, num_steps=num_steps, weights=weights
  )


def consensus_counts(
  triples: chex.Array, num_classes: int, *, weights: chex.Array | None = None
) -> chex.Array:
  """Exact counts of the triples of a shard, int32 `[K, K, K]`, to be added up.

  Args:
    triples: labels of an example and its two neighbours, integers `[N, 3]`.
    num_classes: K.
    weights: how often each counts, integers `[N]`; once, if None.

  Returns:
    Counts, at most 2^31 in sum. Memory: K^3 numbers.
  """
  if weights is None:
    weights = jnp.ones(len(triples), jnp.int32)
  counts = jnp.zeros((num_classes,) * 3, jnp.int32)
  return counts.at[*triples.T].add(weights.astype(jnp.int32), mode='drop')


def hoc_from_counts(
  counts: chex.Array, *, num_steps: int = 1500
) -> estimate.Estimate:
  """The estimate that `hoc` describes, from the counts of all shards.

  Args:
    counts: `hoc_counts` of all shards, added up, integers `[K, K, K]`.
    num_steps: of Adam.

  Returns:
    The estimate.

  Raises:
    ValueError: if num_steps is less than 1.
  """
  _checks.at_least('num_steps', num_steps, 1)
  return _fit(consensus_lib.of_counts(counts), len(counts), num_steps)


def hoc_from_triples(
  triples: chex.Array,
  *,
  num_classes: int,
  num_steps: int = 1500,
  weights: chex.Array | None = None,
) -> estimate.Estimate:
  """The estimate that `hoc` describes, from the triples of all shards.

  Args:
    triples: labels of an example and its two neighbours, integers `[N, 3]`.
    num_classes: K.
    num_steps: of Adam.
    weights: how often each counts, integers `[N]`; once, if None.

  Returns:
    The estimate, without any array of K^3.

  Raises:
    ValueError: if num_steps is less than 1.
  """
  _checks.at_least('num_steps', num_steps, 1)
  triples = jnp.asarray(triples, jnp.int32)
  consensus = consensus_lib.of_triples(triples, weights)
  return _fit(consensus, num_classes, num_steps)


def _fit(consensus, num_classes, num_steps):
  optimizer = optax.adam(_LEARNING_RATE)

  def loss(params):
    rows, classes = (jax.nn.softmax(logits) for logits in params)
    return jnp.sum(consensus_lib.distances(consensus, rows, classes))

  def step(state, _):
    params, opt_state, best = state
    value, grads = jax.value_and_grad(loss)(params)
    better = value < best[0]
    best = jax.tree.map(
      lambda new, old: jnp.where(better, new, old), (value, params), best
    )
    updates, opt_state = optimizer.update(grads, opt_state)
    return (optax.apply_updates(params, updates), opt_state, best), None

  params = _start(num_classes)
  best = (jnp.float32(jnp.inf), params)
  state = (params, optimizer.init(params), best)
  (_, _, (_, params)), _ = lax.scan(step, state, None, length=num_steps)
  transition, prior = (jax.nn.softmax(logits) for logits in params)
  return estimate.from_joint(prior[:, None] * transition)


def _start(num_classes):
  """Logits; 5 on the diagonal for 10 classes, and T the same for any number."""
  diagonal = np.log(16.5 * (num_classes - 1))
  rows = jnp.eye(num_classes, dtype=jnp.float32) * np.float32(diagonal)
  return rows, jnp.zeros(num_classes, jnp.float32)
