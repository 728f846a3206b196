"""Confident learning: which labels are wrong, by how many must be."""

import chex
import jax.numpy as jnp
import numpy as np

from noisy_labels.detection import largest
from noisy_labels.detection import passes
from noisy_labels.estimation import blocks
from noisy_labels.estimation import confident as confident_lib
from noisy_labels.estimation import confident_guess
from noisy_labels.estimation import confident_host
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
    bool `[N]`; True is suspicious. The confident joint of numpy arrays is made
    by numpy in float64; examples are compared by jax, in float32 unless it is
    told otherwise. Memory: `[N]` numbers and nine `[K, K]`. Time, if pruned by
    noise rate: 33 passes over probs; by class, over p_y alone. Jit it, else
    there is a copy of numpy's probs.

  Raises:
    ValueError: if an argument is not as described; the message says where.
      Values of traced arrays are not looked at.

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021
  """
  if filter_by not in FILTERS:
    raise ValueError(
      f'filter_by must be one of {", ".join(FILTERS)}, got {filter_by!r}'
    )
  passes.check(labels, probs)
  bounds = passes.thresholds(labels, probs, axis_name)
  classes, rows = jnp.asarray(labels), jnp.asarray(probs)
  if filter_by == 'confident_learning':
    guesses = _guess(probs, bounds)
    taken = (guesses >= 0) & (guesses != classes)
  else:
    counts = confident_sums.confident_counts(labels, probs, bounds)
    counts = blocks.total(counts, axis_name)
    taken = _pruned(filter_by, counts, classes, rows, axis_name)
  return taken & _is_outdone(classes, rows)


def _guess(probs, thresholds):
  """The class of which each row is confident, `[N]`; -1 for none."""
  if isinstance(probs, np.ndarray):
    return jnp.asarray(confident_host.guess(probs, np.asarray(thresholds)))
  return confident_guess.guess(probs, thresholds)


def _is_outdone(labels, probs):
  """Whether another class is clearly more probable, bool `[N]`."""

  def score(labels, rows, own):
    return passes.largest_other(labels, rows) > own + _MARGIN

  return passes.scores(score, labels, probs)


def _pruned(filter_by, counts, labels, probs, axis_name):
  matrix = jnp.asarray(confident_lib.confident_matrix(counts))
  right = jnp.diagonal(matrix)
  given = jnp.asarray(counts.given)
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
