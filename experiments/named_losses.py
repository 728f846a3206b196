"""From the names and numbers of `config.loss` to a loss.

Every loss of `noisy_labels.losses` can be named, and so can those that are made
of others: the fields of `PARTS` name the parts. The hyper-parameters of a loss
and of its parts are fields of the same names.
"""

from collections.abc import Callable
import functools
import inspect
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from experiments import errors
from noisy_labels import losses
from noisy_labels import methods

# Losses that are made of others, and the fields that name those.
PARTS = {
  'active_passive': ('active', 'passive'),
  'backward_corrected': ('base',),
}

# Hyper-parameters that are no fields, for the run knows them: see `facts`.
KNOWN = ('noise_prior', 'transition')

# Losses that want several views of an example, of which there is one.
_OF_VIEWS = ('generalized_jensen_shannon',)

# Fields that change whatever loss is named, or how it is trained with.
_FOR_ANY = ('margin', 'max_logit_norm', 'warm_up_epochs', 'ramp_epochs')


def names() -> tuple[str, ...]:
  """The losses that `config.loss.name` can name."""
  plain = {*losses.PER_EXAMPLE, *losses.OF_BATCHES} - {*_OF_VIEWS}
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
  # What is written as a number is a float, unless it can only be an integer.
  kinds = (bool, int, str)
  return parameter.annotation if parameter.annotation in kinds else float


def facts(transition: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
  """What a run knows of its noise, for the hyper-parameters of `KNOWN`.

  Args:
    transition: the noise, T[i, j] = P(given j | true i).
    counts: how many examples of true class i were given label j; only how
      often each label was given is used.

  Returns:
    `transition`, and as `noise_prior` the share of each label.
  """
  given = np.sum(counts, axis=0)
  return {
    'transition': transition,
    'noise_prior': given / np.sum(given),
  }


def make(
  config: ml_collections.ConfigDict, known: dict[str, np.ndarray]
) -> Callable[..., jax.Array]:
  """The loss that `config` describes, its hyper-parameters bound.

  Args:
    config: `config.loss` of a run.
    known: the run's `facts`.

  Returns:
    `(logits, labels) -> losses`, or `(logits, labels, *, key) -> losses` for
    the losses of `losses.OF_BATCHES`.

  Raises:
    UsageError: a name is unknown, a hyper-parameter is missing, not one of
      this loss's, or out of range.
  """
  _check_name('name', config.name, names())
  parts = {field: config[field] for field in PARTS.get(config.name, ())}
  for field, part in parts.items():
    if part is None:
      raise errors.UsageError(
        f'config.loss.{field} is missing: {config.name} is made of another '
        f'loss; set --config.loss.{field}=NAME'
      )
    _check_name(field, part, losses.PER_EXAMPLE)
  given = _check_parameters(config, parts)

  def bind(name):
    wanted = inspect.signature(getattr(losses, name)).parameters
    values = {**known, **given}
    return {k: values[k] for k in wanted if k in values}

  function = functools.partial(
    getattr(losses, config.name), **bind(config.name)
  )
  bound = [
    functools.partial(getattr(losses, part), **bind(part))
    for part in parts.values()
  ]
  num_classes = len(known['noise_prior'])
  example = jnp.zeros((2, num_classes)), jnp.zeros((2,), jnp.int32)
  key = {'key': jax.random.key(0)} if _draws(config.name) else {}
  try:
    loss = _wrap(function(*bound) if parts else function, config)
    jax.eval_shape(functools.partial(loss, **key), *example)
  except ValueError as error:
    raise errors.UsageError(f'config.loss: {error}') from None
  return loss


def make_method(
  config: ml_collections.ConfigDict, known: dict[str, np.ndarray]
) -> methods.Method:
  """The method that trains with the loss that `config` describes."""
  loss = make(config, known)
  lift = methods.of_batches if _draws(config.name) else methods.stateless
  first, ramp = config.warm_up_epochs or 0.0, config.ramp_epochs or 0.0
  if not first and not ramp:
    return lift(loss)
  try:
    return methods.warm_up(lift(loss), epochs=first, ramp_epochs=ramp)
  except ValueError as error:
    raise errors.UsageError(f'config.loss: {error}') from None


def describe(config: ml_collections.ConfigDict) -> dict[str, Any]:
  """The fields that are set, other than the name."""
  return {k: v for k, v in config.items() if k != 'name' and v is not None}


def _draws(name: str) -> bool:
  """Whether a loss draws other examples of the batch, with a key."""
  return 'key' in inspect.signature(getattr(losses, name)).parameters


def _wrap(loss, config):
  if config.margin is not None:
    loss = losses.with_margin(loss, margin=config.margin)
  if config.max_logit_norm is None:
    return loss

  def clipped(logits, labels, **key):
    logits = losses.clip_logits(logits, max_norm=config.max_logit_norm)
    return loss(logits, labels, **key)

  return clipped


def _check_name(field: str, name: str, known: tuple[str, ...]) -> None:
  if name in _OF_VIEWS:
    raise errors.UsageError(
      f'config.loss.{field}={name!r} compares several views of each example, '
      'and training here has one: use jensen_shannon'
    )
  errors.check_name(f'config.loss.{field}', name, known)


def _check_parameters(
  config: ml_collections.ConfigDict, parts: dict[str, str]
) -> dict[str, Any]:
  """The hyper-parameters that are given, which are those that are taken."""
  takers: dict[str, list[str]] = {}
  optional = set()
  for name in (config.name, *parts.values()):
    for field, parameter in parameters(name).items():
      takers.setdefault(field, []).append(name)
      if parameter.default is not inspect.Parameter.empty:
        optional.add(field)
  for field, who in takers.items():
    if len(who) > 1:
      raise errors.UsageError(
        f'config.loss.{field} is taken by both {who[0]} and {who[1]}: combine '
        'them in Python, where each can have its own'
      )
  whole = config.name
  if parts:
    whole += ' of ' + ' and '.join(parts.values())
  takes = ', '.join(takers) or 'no hyper-parameter'
  given = describe(config)
  for field in (*parts, *_FOR_ANY):
    given.pop(field, None)
  for field in given:
    if field not in takers:
      raise errors.UsageError(
        f'config.loss.{field} is set, but {whole} takes {takes}'
      )
  for field in takers:
    if field not in given and field not in optional:
      value = 'NAME' if fields()[field] is str else 'NUMBER'
      raise errors.UsageError(
        f'config.loss.{field} is missing: {whole} takes {takes}; set '
        f'--config.loss.{field}={value}'
      )
  return given
