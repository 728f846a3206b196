"""How little a prediction thinks of the given label: three scores."""

import chex
import jax.numpy as jnp
import numpy as np

from noisy_labels.detection import passes
from noisy_labels.estimation import estimate

# Where log(1 + s) / s is 0 in every precision, and s still a number.
_LARGEST = 1e30


def self_confidence(
  labels: chex.Array,
  probs: chex.Array,
  *,
  adjust: bool = False,
  axis_name: str | None = None,
) -> chex.Array:
  """What is left for other classes than the given one: 1 - p_y.

  The plainest of all scores, and hard to beat where the model is well
  calibrated. It is 1 less cleanlab's `self_confidence`.

  Args:
    labels: given classes, integers `[N]`.
    probs: predicted P(given | x) of examples that the model was not trained on,
      floats `[N, K]`; rows sum to 1.
    adjust: whether to compare classes by how confident the model is of each, as
      cleanlab's `adjust_pred_probs` does, where some are hard or rare: p_k
      becomes p_k - t_k + max t over the sum of these, t_k the mean of p_k over
      examples with label k.
    axis_name: of `jax.vmap`, `jax.pmap` or `jax.shard_map`: the examples are a
      shard, and t is that of all.

  Returns:
    Floats `[N]` in [0, 1], at least float32; higher is more suspicious. Memory:
    a few `[N]`, if jitted.

  Raises:
    ValueError: if an argument is not as described; the message says where.
      Values of traced arrays are not looked at.

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021
  """
  labels, probs = passes.prepare(labels, probs)
  change = _adjustment(labels, probs, adjust, axis_name)

  def score(labels, rows, own):
    del own
    return 1 - passes.own(labels, change(rows))

  return _clip(passes.scores(score, labels, probs))


def normalized_margin(
  labels: chex.Array,
  probs: chex.Array,
  *,
  adjust: bool = False,
  axis_name: str | None = None,
) -> chex.Array:
  """By how much another class is preferred: (1 + max_{k != y} p_k - p_y) / 2.

  Above 1/2 where the model would have given another label. Unlike 1 - p_y it
  does not suspect an example that is hard for the model, but of no class
  clearly. It is 1 less cleanlab's `normalized_margin`.

  Args:
    labels: given classes, integers `[N]`.
    probs: as for `self_confidence`, as are adjust and axis_name.
    adjust: whether to compare classes by how confident the model is of each.
    axis_name: of the shards, if adjust is set.

  Returns:
    Floats `[N]` in [0, 1], at least float32; higher is more suspicious. Memory:
    a few `[N]`, if jitted.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Northcutt et al., `Confident Learning: Estimating Uncertainty in Dataset
    Labels <https://arxiv.org/abs/1911.00068>`_, 2021
  """
  labels, probs = passes.prepare(labels, probs)
  change = _adjustment(labels, probs, adjust, axis_name)

  def score(labels, rows, own):
    del own
    rows = change(rows)
    other = passes.largest_other(labels, rows)
    return (1 + other - passes.own(labels, rows)) / 2

  return _clip(passes.scores(score, labels, probs))


def confidence_weighted_entropy(
  labels: chex.Array, probs: chex.Array
) -> chex.Array:
  """Entropy over the label's probability, brought to [0, 1].

    1 - log(1 + s) / s,  s = -sum_k p_k log p_k / (p_y log K)

  It suspects what the model is not sure of, and of that first what it does not
  believe. It is 1 less cleanlab's `confidence_weighted_entropy`, but where p_y
  or s is below 1e-6: cleanlab replaces these by 1e-6, so that it suspects a
  label of probability 1 most of all; here the limits stand, 0 for p_y = 1 and 1
  for p_y = 0.

  Args:
    labels: given classes, integers `[N]`.
    probs: predicted P(given | x), floats `[N, K]`; rows sum to 1.

  Returns:
    Floats `[N]` in [0, 1], at least float32; higher is more suspicious. Memory:
    a few `[N]`, if jitted.

  Raises:
    ValueError: if an argument is not as described.

  References:
    Kuan and Mueller, `Model-agnostic label quality scoring to detect real-world
    label errors
    <https://people.csail.mit.edu/jonasmueller/info/LabelQuality_icml.pdf>`_,
    2022
  """
  labels, probs = passes.prepare(labels, probs)
  scale = float(np.log(probs.shape[1]))

  def score(labels, rows, own):
    del labels
    xp = estimate.namespace(rows)
    logs = xp.log(xp.maximum(rows, xp.finfo(rows.dtype).tiny))
    entropy = xp.maximum(-_sum_of_products(rows, logs), 0) / scale
    ratio = entropy / xp.where(own > 0, own, 1)
    ratio = xp.clip(ratio, xp.finfo(ratio.dtype).tiny, _LARGEST)
    return xp.where(own > 0, 1 - xp.log1p(ratio) / ratio, 1)

  return _clip(passes.scores(score, labels, probs))


def _sum_of_products(rows, others):
  if isinstance(rows, np.ndarray):
    return np.einsum('nk,nk->n', rows, others)  # Makes no product.
  return jnp.sum(rows * others, axis=1)


def _adjustment(labels, probs, adjust, axis_name):
  """What is done to rows before they are compared."""
  if not adjust:
    return lambda rows: rows
  offsets = passes.thresholds(labels, probs, axis_name)
  offsets = offsets.max() - offsets

  def change(rows):
    rows = rows + offsets.astype(rows.dtype)
    return rows / rows.sum(axis=1, keepdims=True)

  return change


def _clip(scores):
  # Rows sum to 1 but for a little.
  return jnp.asarray(scores.clip(0, 1))
