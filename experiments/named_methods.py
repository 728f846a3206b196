"""From the names and numbers of `config.method` to a method.

Every method of `noisy_labels.methods` can be named, and its hyper-parameters
are fields of `config.method`; there is no list to keep.
"""

import inspect
from typing import Any

import ml_collections

from experiments import errors
from experiments import loss_fields
from noisy_labels import methods

# Hyper-parameters that are no fields, for the run knows them.
KNOWN = (
  'noise_prior',
  'part_of',
  'steps_per_epoch',
  'transition',
  'trusted_labels',
)


def names() -> tuple[str, ...]:
  """The methods that `config.method.name` can name."""
  return methods.METHODS


def parameters(name: str) -> dict[str, inspect.Parameter]:
  """The hyper-parameters of a method that are fields."""
  signature = inspect.signature(getattr(methods, name))
  return {k: v for k, v in signature.parameters.items() if k not in KNOWN}


def fields() -> dict[str, type]:
  """Every hyper-parameter of any method, and what it is."""
  found: dict[str, type] = {}
  for name in names():
    for field, parameter in parameters(name).items():
      kind = loss_fields.kind(parameter)
      # One method's epochs are whole, and another's need not be.
      found[field] = kind if found.get(field, kind) is kind else float
  return found


def make(
  config: ml_collections.ConfigDict, known: dict[str, Any]
) -> methods.Method:
  """The method that `config` describes.

  Args:
    config: `config.method` of a run, with a name.
    known: what the run knows of its noise, see `named_losses.facts`; of itself,
      see `build.make_parts`; and as `trusted_labels` the true labels by index,
      -1 where they are not known; if there are none, without it.

  Returns:
    The method, after a warm-up if `warm_up_epochs` is set, and `wrapped`.

  Raises:
    UsageError: a name is unknown, a hyper-parameter is missing, not one of
      this method's, or out of range; or trusted examples are.
  """
  name = config.name
  errors.check_name('config.method.name', name, names())
  given = {
    field: config[field] for field in fields() if config[field] is not None
  }
  takes = parameters(name)
  # Some have a warm-up of their own; the others may be put under one.
  warm_up_epochs = None
  if 'warm_up_epochs' not in takes:
    warm_up_epochs = given.pop('warm_up_epochs', None)
  for field in given:
    if field not in takes:
      raise errors.UsageError(
        f'config.method.{field} is set, but {name} takes '
        f'{", ".join(takes) or "no hyper-parameter"}'
      )
  wanted = inspect.signature(getattr(methods, name)).parameters
  told = {field: known[field] for field in KNOWN if field in known}
  # A method's rate is the share of wrong labels, a loss's that of redraws.
  if 'wrong_share' in known:
    told['noise_rate'] = known['wrong_share']
  values = {k: v for k, v in {**told, **given}.items() if k in wanted}
  for field in given:
    if takes[field].annotation is int and given[field] == int(given[field]):
      values[field] = int(given[field])
  for field, parameter in wanted.items():
    if field not in values and parameter.default is inspect.Parameter.empty:
      raise errors.UsageError(_missing(name, field))
  try:
    method = getattr(methods, name)(**values)
    if warm_up_epochs is not None:
      method = methods.warm_up(method, epochs=warm_up_epochs)
  except (AssertionError, ValueError) as error:
    raise errors.UsageError(f'config.method: {error}') from None
  method = wrapped(method, config)
  if method.num_trusted and 'trusted_labels' not in known:
    raise errors.UsageError(_missing(name, 'trusted_labels'))
  return method


def wrapped(
  method: methods.Method, config: ml_collections.ConfigDict
) -> methods.Method:
  """The method under what `config` says of any method or loss.

  Args:
    method: of a method or a loss.
    config: `config.method` of a run.

  Returns:
    The method under mixup, if `mixup_alpha` is set, and then under
    `methods.track_margins`, if that is.

  Raises:
    UsageError: `mixup_alpha` is out of range, or the method cannot be wrapped.
  """
  try:
    field = 'mixup_alpha'
    if config.mixup_alpha is not None:
      method = methods.mixup(method, alpha=config.mixup_alpha)
    field = 'track_margins'
    if config.track_margins:
      method = methods.track_margins(method)
  except ValueError as error:
    raise errors.UsageError(f'config.method.{field}: {error}') from None
  return method


def _missing(name: str, field: str) -> str:
  if field == 'trusted_labels':
    return (
      f'config.method.name={name!r} learns from examples whose labels are '
      'known to be right: set config.num_trusted to their number, such as 1000'
    )
  if field == 'transition':
    of_trusted = (
      'trusted_labels' in inspect.signature(getattr(methods, name)).parameters
    )
    estimator = 'trusted_transition' if of_trusted else 'confident_joint'
    return (
      f'config.method.name={name!r} needs the transition matrix of the noise, '
      f'which is not known here: set config.noise_estimate={estimator} to '
      'estimate it'
    )
  return (
    f'config.method.{field} is missing: {name} takes '
    f'{", ".join(parameters(name))}; set --config.method.{field}=NUMBER'
  )
