"""What the conformance suite needs to know of a loss, to hold it to its word.

The formulas are written down a second time, from the mathematics and not from
the code, in numpy's longest floats. Derivatives are compared with closed forms
where a case has them, and else with differences of its formula.
"""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import numpy as np

Parameters = dict[str, Any]

# Central differences of sixth order. In floats of 64 bits of mantissa their
# error is near 1e-15 of the function once, near 1e-11 twice.
_WEIGHTS = ((1, 3 / np.longdouble(4)), (2, -3 / np.longdouble(20)),
            (3, 1 / np.longdouble(60)))  # fmt: skip
_STEP = np.longdouble(1e-4)


class Case(NamedTuple):
  """A loss's parameters to test it with, and its formula.

  value: `(logits, labels, **parameters) -> losses`, in numpy; labels are
    distributions.
  gradient: the same arguments; by the logits, in closed form. None: by
    differences of value.
  parameters: sets of hyper-parameters. One that is a function is called with
    the number of classes.
  invalid: hyper-parameters out of range, one in each dictionary.
  static: names of parameters that are no number to differentiate by.
  masking_deletes: whether a class masked by -inf might as well not exist.
  linear: whether the loss is linear in a distribution.
  shift_invariant: whether adding a number to all logits changes nothing.
  max_classes: the largest number of classes to try.
  arrays: temporary arrays of the size of the logits that it needs beyond
    optax's cross entropy, for integer labels.
  roundings: how often a gradient of 16 bits is rounded.
  loss: what to test, if it is not `losses.<name>`.
  """

  value: Callable[..., Any]
  gradient: Callable[..., Any] | None = None
  parameters: tuple[Parameters, ...] = ({},)
  invalid: tuple[Parameters, ...] = ()
  static: tuple[str, ...] = ()
  masking_deletes: bool = True
  linear: bool = True
  shift_invariant: bool = True
  max_classes: int = 32000
  arrays: float = 0.5
  roundings: int = 1
  loss: Callable[..., Any] | None = None


def log_softmax(logits):
  logits = np.asarray(logits, np.longdouble)
  shifted = logits - logits.max(-1, keepdims=True)
  return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def softmax(logits):
  return np.exp(log_softmax(logits))


def of_label_probability(phi, trust, **options) -> Case:
  """A loss of the label's probability alone, by its value and trust weight.

  Args:
    phi: `(log_p, p, **parameters)`, the loss of a class.
    trust: the same arguments; what it multiplies cross entropy's gradient by.
    **options: of the case.
  """

  def value(logits, labels, **parameters):
    log_p = log_softmax(logits)
    return (labels * phi(log_p, np.exp(log_p), **parameters)).sum(-1)

  def gradient(logits, labels, **parameters):
    log_p = log_softmax(logits)
    p = np.exp(log_p)
    trusted = labels * trust(log_p, p, **parameters)
    return p * trusted.sum(-1, keepdims=True) - trusted

  return Case(value, gradient, **options)


def difference(function):
  """The derivative at 0 of a function of a longdouble."""
  return (
    sum(
      weight * (function(k * _STEP) - function(-k * _STEP))
      for k, weight in _WEIGHTS
    )
    / _STEP
  )


def gradient(case, logits, labels, classes, **parameters):
  """The gradient by the logits of these classes, in numpy."""
  if case.gradient:
    return case.gradient(logits, labels, **parameters)[..., classes]
  logits = np.asarray(logits, np.longdouble)

  def by(k):
    direction = np.eye(logits.shape[-1], dtype=np.longdouble)[k]
    return difference(
      lambda step: case.value(logits + step * direction, labels, **parameters)
    )

  return np.stack([by(k) for k in classes], axis=-1)
