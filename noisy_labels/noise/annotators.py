"""Several annotators, each with a noise of their own, and their vote."""

import numpy as np
import numpy.typing as npt

from noisy_labels.noise import _checks
from noisy_labels.noise import corruption
from noisy_labels.noise import counter
from noisy_labels.noise import streams


def annotate(
  labels: npt.ArrayLike,
  transitions: npt.ArrayLike,
  *,
  seed: int,
  index: npt.ArrayLike | None = None,
  missing_rate: float = 0.0,
) -> npt.NDArray[np.int32]:
  r"""Labels from annotators who err independently, given the true label.

  .. math::

    P(\tilde y_{n1}, \ldots, \tilde y_{nA} \mid y_n)
      = \textstyle\prod_a T^{(a)}_{y_n \tilde y_{na}}

  An annotation depends on the seed, the annotator's number, the example's
  index and its true label alone: on no other annotator, shard or order.

  Args:
    labels: True labels, integers `[N]` in 0..K-1.
    transitions: `T[a, i, j] = P(a gives j | true i)`, `[A, K, K]`.
    seed: An integer in [0, 2**32).
    index: The identity of each example in its data set, non-negative integers
      `[N]`; 0..N-1 if it is left out.
    missing_rate: The probability of each annotation to be missing, in [0, 1].

  Returns:
    int32 `[N, A]`; -1 where an annotation is missing.

  Raises:
    ValueError: If an argument is not as described; the message says where.
  """
  matrices = np.asarray(transitions, np.float64)
  if matrices.ndim != 3 or not matrices.size:
    raise ValueError(
      f'transitions must have shape [A, K, K], got {matrices.shape}'
    )
  labels = _checks.labels('labels', labels, matrices.shape[1])
  index = _checks.index(index, labels)
  missing_rate = _checks.rate('missing_rate', missing_rate)
  annotations = np.empty((len(labels), len(matrices)), np.int32)
  for annotator, matrix in enumerate(matrices):
    name = f'transitions[{annotator}]'
    transition = _checks.rows(name, _checks.square(name, matrix))
    stream = streams.ANNOTATORS + 2 * annotator
    uniforms = counter.uniform(seed, index, stream=stream)
    missing = counter.uniform(seed, index, stream=stream + 1) < missing_rate
    given = corruption.draw(transition, labels, uniforms)
    annotations[:, annotator] = np.where(missing, -1, given)
  return annotations


def majority_vote(
  annotations: npt.ArrayLike,
  *,
  num_classes: int,
  seed: int,
  index: npt.ArrayLike | None = None,
) -> npt.NDArray[np.int32]:
  r"""The label that most annotators give; one of the foremost in a tie.

  .. math::

    y_n = \arg\max_k \left| \{ a : \tilde y_{na} = k \} \right|

  Args:
    annotations: Labels `[N, A]`, integers in 0..K-1; -1 where one is missing.
      Every example needs at least one.
    num_classes: The number of classes `K`.
    seed: An integer in [0, 2**32); with the index, it decides ties, evenly.
    index: The identity of each example in its data set, non-negative integers
      `[N]`; 0..N-1 if it is left out.

  Returns:
    int32 `[N]`.

  Raises:
    ValueError: If an argument is not as described; the message says where.

  Examples:
    >>> majority_vote([[2, 0, 2], [1, -1, -1]], num_classes=3, seed=0).tolist()
    [2, 1]
  """
  votes = count_votes(check_annotations(annotations, num_classes), num_classes)
  index = _checks.index(index, votes)
  silent = ~votes.any(axis=1)
  if silent.any():
    raise ValueError(
      'annotations must hold a label for each example, got none at position '
      f'{int(np.argmax(silent))}'
    )
  foremost = votes == votes.max(axis=1, keepdims=True)
  uniforms = counter.uniform(seed, index, stream=streams.TIES)
  # The chosen one is that which has `chosen` others of the foremost before it.
  chosen = np.floor(uniforms * foremost.sum(axis=1))
  passed = np.cumsum(foremost, axis=1) > chosen[:, None]
  return np.argmax(passed, axis=1).astype(np.int32)


def count_votes(
  annotations: npt.NDArray[np.int32], num_classes: int
) -> npt.NDArray[np.int64]:
  """How many annotators give each label; `[N, A]` -> `[N, K]`."""
  examples, annotators = np.nonzero(annotations >= 0)
  given = annotations[examples, annotators]
  votes = np.bincount(
    examples * num_classes + given, minlength=len(annotations) * num_classes
  )
  return votes.reshape(len(annotations), num_classes)


def check_annotations(
  annotations: npt.ArrayLike, num_classes: int
) -> npt.NDArray[np.int32]:
  """Returns annotations as int32 `[N, A]`, or says what is wrong with them."""
  num_classes = _checks.num_classes(num_classes)
  array = np.asarray(annotations)
  if array.ndim != 2 or not array.shape[1]:
    raise ValueError(f'annotations must have shape [N, A], got {array.shape}')
  flat = _checks.labels(
    'annotations', array.reshape(-1), num_classes, missing=True
  )
  return flat.reshape(array.shape)
