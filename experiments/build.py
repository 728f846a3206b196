"""From the names and numbers of a configuration to the objects they mean."""

import functools
import pathlib
from typing import Any

import jax.numpy as jnp
import ml_collections
import numpy as np
import optax

from experiments import devices
from experiments import errors
from experiments import folds
from experiments import loss_fields
from experiments import models
from experiments import named_losses
from experiments import named_methods
from experiments import noise_estimate
from experiments import noises
from experiments import optimizers
from experiments import sharpness
from experiments import train
from experiments.data import augment
from experiments.data import dataset
from experiments.data import source
from noisy_labels import losses
from noisy_labels import methods
from noisy_labels import noise

_DTYPES = ('bfloat16', 'float32')


def one_config(
  sweep: ml_collections.ConfigDict, fields: dict[str, Any], seed: int
) -> ml_collections.ConfigDict:
  """The configuration of one run of a sweep: its base, changed by `fields`."""
  config = ml_collections.ConfigDict(sweep.base.to_dict())
  config.update(fields)
  config.seed = seed
  return config


def title(config: ml_collections.ConfigDict) -> str:
  """What a run trains with: a method, or else a loss."""
  return config.method.name or config.loss.name


def check(config: ml_collections.ConfigDict) -> None:
  """Raises a `UsageError` for names and hyper-parameters that mean nothing.

  They are tried on noise of two classes, with which bounds by the number of
  classes are the widest, so that no data need be at hand. What depends on the
  data is said by `make_data` and `make_parts`.
  """
  noises.check(config.noise)
  _check_names(config)
  _check_folds(config)
  matrix = noise.symmetric(2, 0.1, exclude_true=True)
  is_told = config.noise_estimate or noises.has_transition(config.noise)
  known = named_losses.facts(
    matrix if is_told else None,
    np.eye(2),
    rate=0.1 if config.noise_estimate else None,
  )
  if config.num_trusted:
    known['trusted_labels'] = np.zeros(1, int)
  # So many steps that no epoch is rounded to none.
  steps = 10_000
  make_method(config, {**known, **_of_run(config, steps)})
  optimizers.make(config, steps)


def _check_names(config: ml_collections.ConfigDict) -> None:
  errors.check_name('config.model.name', config.model.name, models.MODELS)
  errors.check_name('config.model.dtype', config.model.dtype, _DTYPES)
  if not 0 <= config.ema_decay < 1:
    raise errors.UsageError(
      f'config.ema_decay={config.ema_decay} is outside [0, 1)'
    )


def _check_folds(config: ml_collections.ConfigDict) -> None:
  if not config.folds:
    return
  if config.method.name or config.loss.name in losses.OF_BATCHES:
    raise errors.UsageError(
      f'config.folds={config.folds} trains with a loss of single examples, and '
      f'{title(config)} is none: use cross_entropy'
    )
  if config.method.track_margins:
    raise errors.UsageError(
      'config.method.track_margins is not for the models of config.folds, of '
      'which each hears other labels: leave out one of the two'
    )
  for field, value in {
    'loss.warm_up_epochs': config.loss.warm_up_epochs,
    'loss.ramp_epochs': config.loss.ramp_epochs,
    'method.mixup_alpha': config.method.mixup_alpha,
  }.items():
    if value:
      raise errors.UsageError(
        f'config.{field}={value} is not for the models of config.folds, which '
        'are trained by the loss alone: leave out one of the two'
      )


def _of_run(
  config: ml_collections.ConfigDict, steps_per_epoch: int
) -> dict[str, Any]:
  """What a method is told of the run."""
  return {
    'part_of': models.part_of(config.model.name),
    'steps_per_epoch': steps_per_epoch,
  }


def make_data(
  config: ml_collections.ConfigDict,
  data_dir: str | None,
  local: devices.Local,
) -> tuple[noises.Noise, dataset.Dataset]:
  """The noise of a run, and its data with that noise, on the devices."""
  given = noises.make(
    config.noise,
    source.describe(config.dataset, data_dir=data_dir),
    dataset=config.dataset,
    seed=config.seed,
    data_dir=data_dir,
    image_size=config.image_size,
  )
  data = dataset.make_dataset(
    config.dataset,
    local=local,
    data_dir=data_dir,
    give=given.give,
    seed=config.seed,
    validation_fraction=config.validation_fraction,
    batch_size=config.batch_size,
    num_trusted=config.num_trusted,
    image_size=config.image_size,
    exclude=_read_excluded(config.exclude),
    num_examples=config.num_examples,
  )
  return given, data


def _read_excluded(path: str | None) -> np.ndarray | None:
  """The indices in the file of `config.exclude`, if there is one."""
  if path is None:
    return None
  try:
    with pathlib.Path(path).open('rb') as file:
      index = np.lib.format.read_array(file, allow_pickle=False)
  except (OSError, ValueError, EOFError) as error:
    raise errors.UsageError(
      f'config.exclude={path} cannot be read as a .npy file: {error}'
    ) from None
  if index.ndim != 1 or index.dtype.kind not in 'iu':
    raise errors.UsageError(
      f'config.exclude={path} holds {index.dtype} {list(index.shape)}: save '
      'integers [n], the indices of examples'
    )
  return index


def known(
  config: ml_collections.ConfigDict,
  data: dataset.Dataset,
  given: noises.Noise,
) -> dict[str, np.ndarray]:
  """What a loss is told of the noise before anything was estimated.

  That is what was made; where an estimate is to come, something in its place.
  """
  if config.noise_estimate is None:
    facts = named_losses.facts(given.transition, data.counts)
  else:
    even = noise.symmetric(data.info.num_classes, 0.1, exclude_true=True)
    facts = named_losses.facts(even, data.counts, rate=0.1)
  return facts | _trusted(data)


def estimated(
  data: dataset.Dataset, found: noise_estimate.NoiseEstimate
) -> dict[str, np.ndarray]:
  """What a loss is told of the noise by an estimate."""
  facts = named_losses.facts(found.transition, data.counts, rate=found.rate)
  return facts | _trusted(data)


def _trusted(data: dataset.Dataset) -> dict[str, np.ndarray]:
  """The labels that are known to be right, for methods, if there are any."""
  known = data.trusted_label
  return {'trusted_labels': known} if np.any(known >= 0) else {}


def make_parts(
  config: ml_collections.ConfigDict,
  data: dataset.Dataset,
  known: dict[str, Any],
) -> train.Parts:
  """What the step is made of; `known` is what a loss is told of the noise."""
  _check_names(config)
  _check_folds(config)
  known = {**known, **_of_run(config, data.deal.steps)}
  model = models.MODELS[config.model.name](
    num_classes=data.info.num_classes, dtype=jnp.dtype(config.model.dtype)
  )
  parts = train.Parts(
    model=model,
    method=make_method(config, known),
    optimizer=optimizers.make(config, data.deal.steps),
    normalize=functools.partial(
      augment.normalize, mean=data.mean, std=data.std
    ),
    augmentation=config.augment.to_dict(),
    ema_decay=config.ema_decay,
    strong=config.second_view.to_dict()
    if config.second_view.operations
    else None,
  )
  if not config.folds:
    return sharpness_aware(with_method(parts, parts.method), config)
  assigned = folds.assign(
    data.info.num_examples['train'], config.folds, seed=config.seed
  )
  parts = parts._replace(
    model=folds.Stack(model, config.folds),
    method=folds.blind(named_losses.make(config.loss, known), assigned),
    select=folds.held_out(assigned),
  )
  return sharpness_aware(parts, config)


def with_method(parts: train.Parts, method: methods.Method) -> train.Parts:
  """The parts with what a method wants: networks, optimiser, averages.

  Averages have the method's own decay, unless the parts have one already: what
  `config.ema_decay` says counts for what is measured, and so for the method,
  since there is one set of averages.
  """
  parts = parts._replace(method=method)
  wrap = method.wrap_optimizer
  if method.optimizer is not None or wrap is not None:
    groups = {
      'model': wrap(parts.optimizer) if wrap else parts.optimizer,
      'method': method.optimizer or parts.optimizer,
    }
    labels = {name: name for name in groups}
    parts = parts._replace(optimizer=optax.multi_transform(groups, labels))
  if method.ema_decay and not parts.ema_decay:
    parts = parts._replace(ema_decay=method.ema_decay)
  if method.num_networks > 1:
    parts = parts._replace(
      model=folds.Stack(parts.model, method.num_networks), select=folds.mean
    )
  return parts


def sharpness_aware(
  parts: train.Parts, config: ml_collections.ConfigDict
) -> train.Parts:
  """The parts with gradients taken at the worst point within a radius."""
  radius = config.optimizer.sharpness_radius
  if not radius:
    return parts
  stacked = isinstance(parts.model, folds.Stack)
  optimizer = sharpness.aware(
    parts.optimizer,
    radius=radius,
    num_networks=parts.model.size if stacked else 1,
  )
  return parts._replace(optimizer=optimizer)


def make_method(
  config: ml_collections.ConfigDict, known: dict[str, Any]
) -> methods.Method:
  """The method of `config.method`, or else that of `config.loss`."""
  if config.method.name is None:
    method = named_losses.make_method(config.loss, known)
    return named_methods.wrapped(method, config.method)
  if loss_fields.describe(config.loss) or config.loss.name != 'cross_entropy':
    raise errors.UsageError(
      f'config.method.name={config.method.name!r} has a loss of its own, and '
      f'config.loss is set ({config.loss.name}): leave out one of the two'
    )
  return named_methods.make(config.method, known)
