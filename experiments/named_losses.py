"""From the names and numbers of `config.loss` to a loss."""

from collections.abc import Callable
import functools
import inspect
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from experiments import errors
from experiments import loss_fields
from noisy_labels import losses
from noisy_labels import methods

# What to write for a field that is missing, where it is not one number.
_EXAMPLES: dict[type, str] = {str: 'NAME', tuple: '"(NUMBER, NUMBER, NUMBER)"'}


def facts(
  transition: np.ndarray | None,
  counts: np.ndarray,
  *,
  rate: float | None = None,
) -> dict[str, Any]:
  """What a run knows of its noise, for the hyper-parameters that are no flags.

  Args:
    transition: the noise, T[i, j] = P(given j | true i); None if it is not
      known.
    counts: how many examples of true class i were given label j; only how
      often each label was given is used.
    rate: the probability that a label is wrong, if it was estimated.

  Returns:
    `transition`; as `noise_prior` the share of each label; as `wrong_share`
    that of wrong labels, which methods take; of an estimate `noise_rate`, as
    `mixture_cross_entropy` has it: with the redraws that come out right.
  """
  given = np.sum(counts, axis=0)
  known = {'noise_prior': given / np.sum(given)}
  if transition is not None:
    known['transition'] = transition
    known['wrong_share'] = 1 - np.mean(np.diagonal(transition))
  if rate is not None:
    num_classes = len(given)
    known['wrong_share'] = rate
    known['noise_rate'] = min(rate * num_classes / (num_classes - 1), 0.999)
  return known


def make(
  config: ml_collections.ConfigDict, known: dict[str, np.ndarray]
) -> Callable[..., jax.Array]:
  """The loss that `config` describes, its hyper-parameters bound.

  Args:
    config: `config.loss` of a run.
    known: the run's `facts`.

  Returns:
    `(logits, labels) -> losses`, or `(logits, labels, *, key) -> losses` for
    the losses of batches; of views, with logits `[2, batch, num_classes]`.

  Raises:
    UsageError: a name is unknown, a hyper-parameter is missing, not one of
      this loss's, or out of range.
  """
  errors.check_name('config.loss.name', config.name, loss_fields.names())
  parts = {
    field: config[field] for field in loss_fields.PARTS.get(config.name, ())
  }
  for field, part in parts.items():
    if part is None:
      raise errors.UsageError(
        f'config.loss.{field} is missing: {config.name} is made of another '
        f'loss; set --config.loss.{field}=NAME'
      )
    errors.check_name(f'config.loss.{field}', part, losses.PER_EXAMPLE)
  given = _check_parameters(config, parts, known)
  if config.name in loss_fields.OF_VIEWS:
    _check_views(config)

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
  views = (2,) if config.name in loss_fields.OF_VIEWS else ()
  example = jnp.zeros((*views, 3, num_classes)), jnp.zeros((3,), jnp.int32)
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
  if config.name in loss_fields.OF_VIEWS:
    lift = methods.of_views
  first, ramp = config.warm_up_epochs or 0.0, config.ramp_epochs or 0.0
  if not first and not ramp:
    return lift(loss)
  try:
    return methods.warm_up(lift(loss), epochs=first, ramp_epochs=ramp)
  except ValueError as error:
    raise errors.UsageError(f'config.loss: {error}') from None


def _check_known(name: str, known: dict[str, np.ndarray]) -> None:
  """Raises if a loss must be told what the run does not know."""
  wanted = inspect.signature(getattr(losses, name)).parameters
  if 'transition' in wanted and 'transition' not in known:
    raise errors.UsageError(
      f'config.loss.name={name!r} needs the transition matrix of the noise, '
      'which is not known here: set config.noise_estimate=confident_joint to '
      'estimate it'
    )


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


def _check_views(config: ml_collections.ConfigDict) -> None:
  """Raises if a loss of views is told of others than the two of training."""
  if config.margin is not None:
    raise errors.UsageError(
      f'config.loss.margin is set, but {config.name} compares several views of '
      'each example, and a margin is for losses of one: leave it out'
    )
  if len(config.weights) != 3:
    raise errors.UsageError(
      f'config.loss.weights={config.weights} are {len(config.weights)} '
      'numbers: set three, of the label and of the two views of training'
    )


def _check_parameters(
  config: ml_collections.ConfigDict,
  parts: dict[str, str],
  known: dict[str, np.ndarray],
) -> dict[str, Any]:
  """The hyper-parameters that are given, which are those that are taken."""
  takers: dict[str, list[str]] = {}
  optional = {*known}
  for name in (config.name, *parts.values()):
    _check_known(name, known)
    for field, parameter in loss_fields.parameters(name).items():
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
  given = loss_fields.describe(config)
  for field in (*parts, *loss_fields.FOR_ANY):
    given.pop(field, None)
  for field in given:
    if field not in takers:
      raise errors.UsageError(
        f'config.loss.{field} is set, but {whole} takes {takes}'
      )
  for field in takers:
    if field not in given and field not in optional:
      value = _EXAMPLES.get(loss_fields.fields()[field], 'NUMBER')
      raise errors.UsageError(
        f'config.loss.{field} is missing: {whole} takes {takes}; set '
        f'--config.loss.{field}={value}'
      )
  return given
