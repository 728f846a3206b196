"""Area under the margin: which labels the model was never led to believe."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels import _checks
from noisy_labels.detection import passes
from noisy_labels.estimation import inputs


class ThresholdSamples(NamedTuple):
  """Labels to train with, in which some examples are of a class of their own.

  Attributes:
    labels: integers `[N]`, K for the threshold samples.
    chosen: which these are, bool `[N]`.
  """

  labels: chex.Array
  chosen: chex.Array


def margins(logits: chex.Array, labels: chex.Array) -> chex.Array:
  """By how much the label is ahead: z_y - max_{k != y} z_k, `[...]`."""
  wide = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
  flat = wide.reshape(-1, wide.shape[-1])
  classes = jnp.broadcast_to(labels, wide.shape[:-1]).reshape(-1)
  ahead = passes.own(classes, flat) - passes.largest_other(classes, flat)
  return ahead.reshape(wide.shape[:-1])


def area_under_margin(logits: chex.Array, labels: chex.Array) -> chex.Array:
  """How far other classes were ahead of the label, over all of training.

    -AUM,  AUM = mean over epochs of z_y - max_{k != y} z_k

  z being the logits that an example was trained with in an epoch. The gradients
  of other examples of its true class pull against a wrong label from the first
  epoch on, long before it is learnt by heart.

  `methods.track_margins` sums these up while any method trains: its opinion
  `margin` is the AUM, and this score its negative.

  Args:
    logits: floats `[num_epochs, N, K]`, of the epochs before the learning rate
      drops, as the paper has it.
    labels: given classes, integers `[N]`.

  Returns:
    Floats `[N]`, of any sign, in the logits' unit; higher is more suspicious,
    and above 0 are those for which other classes were ahead. See
    `margin_threshold` for the place to cut.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Pleiss et al., `Identifying Mislabeled Data using the Area Under the Margin
    Ranking <https://arxiv.org/abs/2001.10528>`_, 2020
  """
  shape = np.shape(logits)
  if len(shape) != 3 or shape[0] < 1 or shape[1] < 1 or shape[2] < 2:
    raise ValueError(
      f'logits must have shape [num_epochs, N, K] with K > 1, got {shape}'
    )
  inputs.check_matrix('logits of an epoch', logits[0])
  inputs.check_labels('labels', labels, *shape[1:])
  return -jnp.mean(margins(jnp.asarray(logits), jnp.asarray(labels)), axis=0)


def threshold_samples(
  key: chex.PRNGKey, labels: chex.Array, num_classes: int, *, part: int = 0
) -> ThresholdSamples:
  """Give some examples a class that does not exist, to see how that looks.

  N / (K + 1) of them, drawn at random, so that the class is as frequent as the
  others on average. Train a model of K + 1 classes with these labels; what is
  known of the chosen examples is that their labels are wrong. The paper trains
  twice, with other examples each time, so as to have a score of everyone.

  Args:
    key: a key of `jax.random`; the same for all parts.
    labels: given classes, integers `[N]`, N > K.
    num_classes: K, at least 2.
    part: which of K + 1 groups of examples to take, that have none in common.

  Returns:
    The labels to train with, and which examples were chosen.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Pleiss et al., `Identifying Mislabeled Data using the Area Under the Margin
    Ranking <https://arxiv.org/abs/2001.10528>`_, section 3.2, 2020
  """
  _checks.at_least('num_classes', num_classes, 2)
  _checks.at_least('part', part, 0)
  if part > num_classes:
    raise ValueError(f'part must be in 0..{num_classes}, got {part}')
  number = len(labels) // (num_classes + 1)
  if number < 1:
    raise ValueError(
      f'labels must be of more than {num_classes} examples, got {len(labels)}'
    )
  inputs.check_labels('labels', labels, len(labels), num_classes)
  labels = jnp.asarray(labels)
  places = jax.random.permutation(key, len(labels))
  places = places[part * number : (part + 1) * number]
  chosen = jnp.zeros(len(labels), bool).at[places].set(True)
  return ThresholdSamples(jnp.where(chosen, num_classes, labels), chosen)


def margin_threshold(
  scores: chex.Array, chosen: chex.Array, *, percentile: float = 99.0
) -> chex.Array:
  """The score from which an example is as suspicious as threshold samples are.

  Such that `percentile` percent of them have that score or a higher one.

  Args:
    scores: of `area_under_margin`, floats `[N]`.
    chosen: which are threshold samples, bool `[N]`, one at least.
    percentile: in [0, 100]; 99 in the paper.

  Returns:
    A float; examples with a score of at least that are taken for mislabelled.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Pleiss et al., `Identifying Mislabeled Data using the Area Under the Margin
    Ranking <https://arxiv.org/abs/2001.10528>`_, section 3.2, 2020
  """
  _checks.in_range('percentile', percentile, '[0, 100]')
  inputs.check_scores('scores', scores)
  if np.shape(chosen) != np.shape(scores):
    raise ValueError(
      f'chosen must have shape {np.shape(scores)}, got {np.shape(chosen)}'
    )
  if inputs.is_concrete(chosen) and not np.any(np.asarray(chosen)):
    raise ValueError('chosen must have a threshold sample, got none')
  theirs = jnp.where(jnp.asarray(chosen) > 0, scores, jnp.nan)
  return jnp.nanpercentile(theirs, 100 - percentile)
