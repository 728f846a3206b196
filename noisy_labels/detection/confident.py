"""Confident learning: which labels are wrong, by how many must be."""

import chex
import jax.numpy as jnp
import numpy as np

from noisy_labels.detection import confident_host
from noisy_labels.detection import largest
from noisy_labels.detection import passes
from noisy_labels.estimation import blocks
from noisy_labels.estimation import confident as confident_lib
from noisy_labels.estimation import confident_sums

FILTERS = (
  'both',
  'confident_learning',
  'prune_by_class',
  'prune_by_noise_rate',
)
# By how much another class must be more probable than the given one.
_MARGIN = 1e-6


def confident_learning(
  labels: chex.Array,
  probs: chex.Array,
  *,
  filter_by: str = 'prune_by_noise_rate',
  axis_name: str | None = None,
) -> chex.Array:
  """Which labels are wrong, as many as the confident joint has wrong ones.

  With C[i, j] the calibrated confident joint, of true class i and given class
  j (`estimation.confident_matrix`), taken are of the examples with label j

    prune_by_class       the n_j - C[j, j] with the smallest p_j
    prune_by_noise_rate  for each i != j, the C[i, j] with the largest p_i - p_j
    both                 what both of these take
    confident_learning   those that are confidently of another class, which is
                         how C was counted

  and of these, in all four, only those for which another class is more probable
  than the given one, by more than 1e-6. One example of each class is left at
  least.

  These are the masks of cleanlab 2.9's `find_label_issues`, but for equal
  numbers: where the last to be taken is as good as others, cleanlab takes what
  the sort brings first, and here all of them are taken. And the confident
  joint may round equal fractions otherwise, see there.

  Args:
    labels: given classes, integers `[N]`.
    probs: predicted P(given | x) of examples that the model was not trained on,
      floats `[N, K]`; rows sum to 1.
    filter_by: one of the four.
    axis_name: of `jax.vmap`, `jax.pmap` or `jax.shard_map`: the examples are a
      shard, and the mask is that shard's of all examples.

  Returns:
    bool `[N]`; True is suspicious. Numpy arrays are read by numpy: a pass over
    probs and one over the rows taken, some `[N]` numbers, no `[K, K]`, and
    selections from as many numbers as the joint has entries that are not zero,
    times the examples of a class. Of others, in jax: `[N]` numbers and nine
    `[K, K]`, and, if pruned by noise rate, 33 passes over probs, by class over
    p_y alone; jit it.

  Raises:
    ValueError: if an argument is not as described; the message says where.
      Values of traced arrays are not looked at.

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021
  """
  labels, probs = passes.prepare(labels, probs)
  found = passes.confident(labels, probs, axis_name)
  taken = take(filter_by, labels, probs, found, axis_name)
  if isinstance(probs, np.ndarray):
    # Only these rows are looked at again, of which there may be few.
    rows = np.flatnonzero(taken)
    highest = confident_host.highest(rows, probs)
    taken[rows] = is_outdone(highest, found.own[rows])
    return jnp.asarray(taken)

  def score(labels, rows, own):
    del labels
    return is_outdone(passes.largest(rows), own)

  return jnp.asarray(taken & passes.scores(score, labels, probs))


def take(
  filter_by: str,
  labels: chex.Array,
  probs: chex.Array,
  confident: passes.Confident,
  axis_name: str | None = None,
) -> chex.Array:
  """The mask before labels that are as probable as any are left out.

  Args:
    filter_by: see `confident_learning`, as axis_name.
    labels: integers `[N]`, from `passes.prepare`, as are probs.
    probs: floats `[N, K]`.
    confident: what confident learning counts of them.
    axis_name: of the shards.

  Returns:
    bool `[N]`.

  Raises:
    ValueError: if there is no such filter.
  """
  if filter_by not in FILTERS:
    raise ValueError(
      f'filter_by must be one of {", ".join(FILTERS)}, got {filter_by!r}'
    )
  if filter_by == 'confident_learning':
    return (confident.guesses >= 0) & (confident.guesses != labels)
  if isinstance(probs, np.ndarray):
    return confident_host.prune(filter_by, labels, probs, confident)
  return _prune(filter_by, labels, probs, confident.guesses, axis_name)


def is_outdone(largest: chex.Array, own: chex.Array) -> chex.Array:
  """Whether another class is clearly more probable than the label."""
  return largest > own + _MARGIN


def _prune(filter_by, labels, probs, guesses, axis_name):
  num_classes = probs.shape[1]
  counts = confident_sums.ConfidentCounts(
    blocks.pair_counts(guesses, labels, num_classes),
    blocks.class_counts(labels, num_classes),
  )
  counts = blocks.total(counts, axis_name)
  matrix = confident_lib.confident_matrix(counts)
  right = jnp.diagonal(matrix)
  given = counts.given
  # Where nobody is right one is left, and one less of each other class taken.
  matrix = jnp.maximum(matrix - (right < 1), 0)
  right = jnp.maximum(right, 1)
  by_class = by_rate = True
  if filter_by != 'prune_by_noise_rate':
    numbers = (given - right)[:, None]
    by_class = _smallest_own(labels, probs, numbers, axis_name)
  if filter_by != 'prune_by_class':
    numbers = jnp.fill_diagonal(matrix.T, 0, inplace=False)
    # Of a class with a single example nothing is taken.
    numbers = jnp.where(given[:, None] > 1, numbers, 0)
    by_rate = _largest_margins(labels, probs, numbers, axis_name)
  return by_class & by_rate


def _largest_margins(labels, probs, numbers, axis_name):
  dtype = jnp.promote_types(probs.dtype, jnp.float32)

  def margins(labels, rows):
    rows = rows.astype(dtype)
    return rows - passes.own(labels, rows)[:, None]

  return largest.of_each_class(
    margins, labels, probs, numbers, axis_name=axis_name
  )


def _smallest_own(labels, probs, numbers, axis_name):
  own = passes.own(labels, probs)
  return largest.of_each_class(
    lambda labels, own: -own[:, None],
    labels,
    own,
    numbers,
    axis_name=axis_name,
  )
