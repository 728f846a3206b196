"""From the names and numbers of a configuration to an optimiser."""

import ml_collections
import optax

from experiments import errors

_OPTIMIZERS = ('adam', 'adamw', 'sgd')
_SCHEDULES = ('constant', 'cosine', 'exponential', 'linear', 'step')


def make_schedule(
  config: ml_collections.ConfigDict, steps_per_epoch: int
) -> optax.Schedule:
  """The learning rate as a function of the step."""
  schedule = config.schedule
  errors.check_name('config.schedule.name', schedule.name, _SCHEDULES)
  peak = config.optimizer.learning_rate
  warmup = round(schedule.warmup_epochs * steps_per_epoch)
  after: optax.Schedule
  if schedule.name == 'constant':
    after = optax.constant_schedule(peak)
  elif schedule.name == 'cosine':
    total = config.epochs * steps_per_epoch
    if warmup >= total:
      raise errors.UsageError(
        f'config.schedule.warmup_epochs={schedule.warmup_epochs} leaves none '
        f'of config.epochs={config.epochs}'
      )
    after = optax.cosine_decay_schedule(peak, total - warmup)
  elif schedule.name == 'linear':
    after = _constant_then_linear(config, steps_per_epoch, warmup)
  elif schedule.name == 'step':
    after = optax.piecewise_constant_schedule(
      peak,
      {
        round(epoch * steps_per_epoch) - warmup: schedule.factor
        for epoch in schedule.boundaries
      },
    )
  else:
    after = optax.exponential_decay(
      peak, schedule.every_epochs * steps_per_epoch, schedule.factor
    )
  if not warmup:
    return after
  ramp = optax.linear_schedule(0.0, peak, warmup)
  return optax.join_schedules([ramp, after], [warmup])


def _constant_then_linear(
  config: ml_collections.ConfigDict, steps_per_epoch: int, warmup: int
) -> optax.Schedule:
  peak, boundaries = config.optimizer.learning_rate, config.schedule.boundaries
  if len(boundaries) != 1 or not 0 <= boundaries[0] < config.epochs:
    raise errors.UsageError(
      'config.schedule.name=linear falls from one epoch to the end: set '
      'config.schedule.boundaries to one number below '
      f'config.epochs={config.epochs}, such as ({config.epochs // 2},)'
    )
  start = round(boundaries[0] * steps_per_epoch)
  if warmup > start:
    raise errors.UsageError(
      f'config.schedule.warmup_epochs={config.schedule.warmup_epochs} ends '
      f'after config.schedule.boundaries={boundaries}, from where it falls'
    )
  fall = optax.linear_schedule(
    peak, 0.0, config.epochs * steps_per_epoch - start
  )
  constant = optax.constant_schedule(peak)
  return optax.join_schedules([constant, fall], [start - warmup])


def make(
  config: ml_collections.ConfigDict, steps_per_epoch: int
) -> optax.GradientTransformation:
  """The optimiser; clipping comes first, weight decay as in PyTorch."""
  optimizer = config.optimizer
  errors.check_name('config.optimizer.name', optimizer.name, _OPTIMIZERS)
  schedule = make_schedule(config, steps_per_epoch)
  chain = []
  if optimizer.max_gradient_norm:
    chain.append(optax.clip_by_global_norm(optimizer.max_gradient_norm))
  if optimizer.name == 'adamw':
    chain.append(optax.adamw(schedule, weight_decay=optimizer.weight_decay))
    return optax.chain(*chain)
  if optimizer.weight_decay:
    chain.append(optax.add_decayed_weights(optimizer.weight_decay))
  if optimizer.name == 'adam':
    chain.append(optax.adam(schedule))
  else:
    momentum = optimizer.momentum or None
    chain.append(
      optax.sgd(schedule, momentum=momentum, nesterov=optimizer.nesterov)
    )
  return optax.chain(*chain)
