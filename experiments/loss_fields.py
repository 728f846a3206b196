"""The fields of `config.loss`: which losses it names, and what each takes.

Every loss of `noisy_labels.losses` can be named, and so can those that are made
of others: the fields of `PARTS` name the parts. The hyper-parameters of a loss
and of its parts are fields of the same names.
"""

from collections.abc import Sequence
import inspect
import typing
from typing import Any

import ml_collections

from noisy_labels import losses

# Losses that are made of others, and the fields that name those.
PARTS = {
  'active_passive': ('active', 'passive'),
  'backward_corrected': ('base',),
}

# Hyper-parameters that are no fields, for the run knows them: see `facts`.
KNOWN = ('noise_prior', 'transition')

# Losses that compare views of an example: training gives them two.
OF_VIEWS = ('generalized_jensen_shannon',)

# Fields that change whatever loss is named, or how it is trained with.
FOR_ANY = ('margin', 'max_logit_norm', 'warm_up_epochs', 'ramp_epochs')


def names() -> tuple[str, ...]:
  """The losses that `config.loss.name` can name."""
  plain = {*losses.PER_EXAMPLE, *losses.OF_BATCHES}
  return tuple(sorted(plain | (PARTS.keys() & {*losses.COMBINATORS})))


def parameters(name: str) -> dict[str, inspect.Parameter]:
  """The hyper-parameters of a loss that are fields of `config.loss`."""
  not_fields = {'logits', 'labels', 'key', 'loss', *KNOWN}
  not_fields.update(PARTS.get(name, ()))
  signature = inspect.signature(getattr(losses, name))
  return {k: v for k, v in signature.parameters.items() if k not in not_fields}


def fields() -> dict[str, type]:
  """Every hyper-parameter of any loss, and what it is."""
  return {
    parameter.name: kind(parameter)
    for name in names()
    for parameter in parameters(name).values()
  }


def kind(parameter: inspect.Parameter) -> type:
  """What a hyper-parameter is, as a flag."""
  if Sequence[float] in typing.get_args(parameter.annotation):
    return tuple
  # What is written as a number is a float, unless it can only be an integer.
  kinds = (bool, int, str)
  return parameter.annotation if parameter.annotation in kinds else float


def describe(config: ml_collections.ConfigDict) -> dict[str, Any]:
  """The fields that are set, other than the name."""
  return {k: v for k, v in config.items() if k != 'name' and v is not None}
