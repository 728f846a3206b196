"""A run in progress: what comes before, between and after its steps."""

from collections.abc import Callable
import functools
import itertools
import math
import time
from typing import Any

import jax
import numpy as np

from experiments import checkpoint
from experiments import devices
from experiments import errors
from experiments import evaluate
from experiments import log
from experiments import optimizers
from experiments import progress as progress_lib
from experiments import record
from experiments import together
from experiments import train
from experiments.data import lanes


def start(
  member: together.Member, local: devices.Local
) -> tuple[train.TrainState, Any]:
  """State and memory before the first step, as host arrays."""
  state, memory = _of_one_device(member)
  return state, jax.tree.map(
    lambda leaf: np.repeat(leaf[None], len(local.devices), axis=0), memory
  )


def _of_one_device(member: together.Member) -> tuple[train.TrainState, Any]:
  data = member.data
  return train.create_train_state(
    member.parts,
    image_shape=data.train.image.shape[2:],
    num_rows=data.deal.rows,
    num_classes=data.info.num_classes,
    seed=member.config.seed,
  )


def rows_of(
  member: together.Member, local: devices.Local, *, epoch: int
) -> np.ndarray:
  """The rows that each device takes in each step of an epoch."""
  return lanes.epoch_rows(
    member.data.train_index,
    member.data.deal,
    devices=local.numbers,
    seed=member.config.seed,
    epoch=epoch,
  )


class Training:
  """A run in progress."""

  def __init__(self, member: together.Member, local: devices.Local):
    self.member = member
    self._config, self._data, parts = member.config, member.data, member.parts
    config, data = self._config, self._data
    self._schedule = optimizers.make_schedule(config, data.deal.steps)
    self._local = local
    self._transition = parts.method.transition
    self._evaluator = evaluate.Evaluator(parts, config.eval_batch_size, local)
    self._epoch_function = parts.method.on_epoch and devices.parallel(
      functools.partial(train.epoch_step, parts),
      in_axes=(None, 0, 0, 0),
      out_axes=0,
      donate_argnums=(1,),
      local=local,
    )
    self._checkpoints = checkpoint.Checkpoints(
      member.workdir / 'checkpoints', data.deal
    )
    self._seconds = 0.0
    self._sums: dict[str, float] = {}
    if self._checkpoints.latest_step() is None:
      self.step = 0
      state, memory = start(member, local)
    else:
      state, memory, self._sums = self._checkpoints.restore(
        *_of_one_device(member), local
      )
      self.step = int(state.step)
    self._state: Any = devices.replicate(state, local)
    self._memory = devices.place(memory, local)
    self._metrics = log.Metrics(
      member.workdir,
      resume_step=self.step,
      write=jax.process_index() == 0,
    )

  @property
  def history(self) -> list[dict[str, Any]]:
    """The measures of every period so far."""
    return self._metrics.history

  def close(self) -> None:
    """Waits until everything is on disk."""
    self._checkpoints.close()
    self._metrics.close()

  @property
  def total_steps(self) -> int:
    """How many steps there are, if nothing ends the run early."""
    return self._config.epochs * self._data.deal.steps

  def is_finished(self) -> bool:
    """Whether there is no step left to take."""
    return self.step >= self.total_steps or self._is_stale()

  def rows(self) -> np.ndarray:
    """The rows of the steps that are left of the epoch."""
    epoch, done = divmod(self.step, self._data.deal.steps)
    return rows_of(self.member, self._local, epoch=epoch)[done:]

  def give(self) -> tuple[Any, Any]:
    """State and memory, which the steps take over."""
    given = self._state, self._memory
    self._state = self._memory = None
    return given

  def receive(
    self, state: Any, memory: Any, sums: list[dict[str, Any]], seconds: float
  ) -> None:
    """What came of some steps: all that `give` gave, and their sums."""
    self._state, self._memory = state, memory
    self._seconds += seconds
    for number, one in enumerate(sums, self.step + 1):
      if not np.isfinite(one['loss']):
        raise self._not_finite(number)
    self._sums = evaluate.add_sums([self._sums, *sums])
    self.step += len(sums)

  def end_epoch(self, progress: progress_lib.Progress, *, stop: bool) -> None:
    """What comes after an epoch, or after the part of one before a stop."""
    epoch, rest = divmod(self.step - 1, self._data.deal.steps)
    whole = rest + 1 == self._data.deal.steps
    if whole and self._epoch_function:
      self._memory = self._end_epoch(self._epoch_function)
    last = epoch + 1 == self._config.epochs
    if whole and (last or (epoch + 1) % self._config.eval_every == 0):
      line = self._measure(epoch, progress)
      progress.say(_describe(line))
      last |= self._is_stale()
    if stop or last or (epoch + 1) % self._config.checkpoint_every == 0:
      self._save()

  def _is_stale(self) -> bool:
    """Whether the held-out accuracy has not been better for long enough."""
    patience = self._config.early_stopping_epochs
    if not patience or not self.history:
      return False
    accuracies = [line['validation_accuracy'] for line in self.history]
    best = self.history[int(np.argmax(accuracies))]
    return self.history[-1]['epoch'] - best['epoch'] >= patience

  def write_predictions(self, title: str) -> None:
    """Writes what models of folds predict, for validation examples apart.

    The latter are of folds too, but no model has heard their labels: so there
    is what each model says of them.
    """
    if not self._config.folds:
      return
    splits = (
      ('validation_', self._data.validation, evaluate.votes_step),
      ('', self._data.train, evaluate.predict_step),
    )
    with progress_lib.Progress(
      title,
      total=sum(self._evaluator.num_batches(part) for _, part, _ in splits),
      show=jax.process_index() == 0,
    ) as progress:

      def after(outputs):
        # What is told is what is done, and not what is asked for.
        jax.block_until_ready(outputs)
        progress.advance()

      for prefix, shards, step in splits:
        predictions = self._evaluator.predict(
          self._state, shards, step=step, after=after
        )
        self._write(f'{prefix}predictions.npz', predictions)
    # Nobody reads before it is there.
    devices.add_over_processes(0)

  def _write(self, name: str, arrays: dict[str, np.ndarray]) -> None:
    if jax.process_index() == 0:
      record.write_arrays(self.member.workdir / name, arrays)

  def write_summary(self) -> dict[str, Any]:
    """Writes what came of it, and ends it."""
    member = self.member
    learned = None
    if self._transition is not None:
      params = self._state.params['method']
      learned = np.asarray(self._transition(params))
    return record.write_summary(
      member.workdir,
      self.history,
      member.data,
      member.known,
      member.found,
      learned,
    )

  def _end_epoch(self, function: Callable[..., Any]) -> Any:
    """The memory when the method has seen predictions for all its examples."""
    started = time.perf_counter()
    logits = self._evaluator.logits(self._state, self._data.train)
    memory = function(self._state, self._memory, self._data.train, logits)
    jax.block_until_ready(memory)
    self._seconds += time.perf_counter() - started
    return memory

  def _not_finite(self, step: int) -> errors.RunError:
    saved = self._checkpoints.latest_step()
    kept = 'there is none yet' if saved is None else f'step {saved}'
    return errors.RunError(
      f'the loss at step {step} is not finite; the last good checkpoint is '
      f'kept ({kept}): try a smaller config.optimizer.learning_rate, or '
      'config.optimizer.max_gradient_norm=5'
    )

  def _save(self) -> None:
    # The last step may have broken what its own loss did not show yet.
    for leaf in jax.tree.leaves((self._state, self._memory)):
      if not np.all(np.isfinite(leaf)):
        raise self._not_finite(self.step)
    self._checkpoints.save(self.step, self._state, self._memory, self._sums)

  def _measure(
    self, epoch: int, progress: progress_lib.Progress
  ) -> dict[str, Any]:
    """Measures everything that the field's rules ask for; writes one line."""
    sums, self._sums = self._sums, {}
    seconds, self._seconds = self._seconds, 0.0
    data = self._data
    splits = (data.train, data.validation, data.test)
    total = sum(map(self._evaluator.num_batches, splits))
    number = itertools.count()

    def after(outputs):
      progress.say(f'measuring, {next(number) / total:.0%}')
      jax.block_until_ready(outputs)

    train_set, validation, test = (
      self._evaluator(
        self._state, shards, detect=shards is data.train, after=after
      )
      for shards in splits
    )
    line = {
      'step': self.step,
      'epoch': epoch + 1,
      'learning_rate': float(self._schedule(self.step - 1)),
      'train_loss': evaluate.ratio(sums['loss'], sums['count']),
      'train_accuracy': train_set['accuracy'],
      'memorised': train_set['memorised'],
      'detector_auroc': train_set['detector_auroc'],
      'validation_loss': validation['loss'],
      'validation_accuracy': validation['accuracy'],
      'test_loss': test['loss'],
      'test_accuracy': test['accuracy'],
      'seconds': round(seconds, 3),
    }
    # Where there is no test example its loss is not a number either.
    tested = line['test_loss'] if self._data.num_tests else 0.0
    if not math.isfinite(line['train_loss'] + tested):
      raise self._not_finite(self.step)
    for name in sums.keys() - {'loss', 'count'}:
      line[f'method_{name}'] = sums[name] / sums['count']
    self._metrics.add(line)
    return line


def _describe(line: dict[str, Any]) -> str:
  """How well it goes, of what is known."""
  which = 'validation' if math.isnan(line['test_accuracy']) else 'test'
  words = f'{which} accuracy {line[f"{which}_accuracy"]:.1%}'
  if math.isnan(line['memorised']):
    return words
  return f'{words}, memorised {line["memorised"]:.1%}'
