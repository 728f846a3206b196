"""The training loop: one for every loss, method, data set and device count."""

from collections.abc import Callable
import functools
import math
import pathlib
import time
from typing import Any

import jax
import ml_collections
import numpy as np

from experiments import build
from experiments import check_config
from experiments import checkpoint
from experiments import devices
from experiments import errors
from experiments import evaluate
from experiments import interrupt
from experiments import log
from experiments import noise_estimate
from experiments import record
from experiments import train
from experiments.data import dataset
from experiments.data import lanes


def run(
  config: ml_collections.ConfigDict,
  workdir: str | pathlib.Path,
  *,
  data_dir: str | None = None,
  title: str = 'training',
  local: devices.Local | None = None,
) -> dict[str, Any]:
  """Trains one model, or goes on where a run in `workdir` stopped.

  Args:
    config: the fields of `experiments/configs/common.py`.
    workdir: holds everything that the run writes.
    data_dir: where TFDS keeps its data; None for TFDS's own default.
    title: what the progress bar is called.
    local: the devices to use; all by default.

  Returns:
    The run's summary, as in its summary.json.

  Raises:
    UsageError: the configuration or the working directory does not fit.
    RunError: the loss is not finite; the last good checkpoint stays.
    DataError: the data cannot be read.
    StoppedError: SIGTERM or SIGINT came, and the state is saved.
  """
  workdir = pathlib.Path(workdir)
  record.check_workdir(workdir, config)
  finished = record.read_summary(workdir)
  if finished:
    return finished
  check_config.check(config)
  local = local or devices.local()
  given, data = build.make_data(config, data_dir, local)
  known, found = build.known(config, data, given), None
  # Raises for what cannot be meant, before anything is written.
  parts = build.make_parts(config, data, known)
  record.claim_workdir(workdir, config)
  if config.noise_estimate is not None:
    found = noise_estimate.find(
      config,
      workdir,
      train=functools.partial(run, data_dir=data_dir, local=local),
      title=title,
    )
    known = build.estimated(data, found)
    parts = build.make_parts(config, data, known)
  with interrupt.Watch() as watch:
    loop = _Loop(config, workdir, data, parts, local)
    try:
      loop.train(watch, title)
      if config.folds:
        loop.write_predictions(workdir)
    finally:
      loop.close()
    summary = record.write_summary(
      workdir, loop.history, data, known, found, loop.learned_transition
    )
  if watch.asked:  # Too late to stop this run, but not what would follow it.
    raise errors.StoppedError('stopped; this run is finished and saved')
  return summary


class _Loop:
  """A run in progress."""

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    data: dataset.Dataset,
    parts: train.Parts,
    local: devices.Local,
  ):
    self._config = config
    self._data = data
    self._schedule = build.make_schedule(config, data.deal.steps)
    self._local = local
    self._step_function = devices.parallel(
      functools.partial(train.train_step, parts),
      in_axes=(None, 0, 0, 0),
      out_axes=(None, 0, None),
      donate_argnums=(0, 1),
      local=local,
    )
    self._transition = parts.method.transition
    self._evaluator = evaluate.Evaluator(parts, config.eval_batch_size, local)
    self._epoch_function = parts.method.on_epoch and devices.parallel(
      functools.partial(train.epoch_step, parts),
      in_axes=(None, 0, 0, 0),
      out_axes=0,
      donate_argnums=(1,),
      local=local,
    )
    state, memory = train.create_train_state(
      parts,
      image_shape=data.train.image.shape[2:],
      num_rows=data.deal.rows,
      num_classes=data.info.num_classes,
      seed=config.seed,
    )
    self._checkpoints = checkpoint.Checkpoints(
      workdir / 'checkpoints', data.deal
    )
    self._seconds = 0.0
    self._pending: list[Any] = []
    self._sums: dict[str, float] = {}
    if self._checkpoints.latest_step() is None:
      self._step = 0
      memory = jax.tree.map(
        lambda leaf: np.repeat(leaf[None], len(local.devices), axis=0), memory
      )
    else:
      state, memory, self._sums = self._checkpoints.restore(
        state, memory, local
      )
      self._step = int(state.step)
    self._state = devices.replicate(state, local)
    self._memory = devices.place(memory, local)
    self._metrics = log.Metrics(
      workdir,
      resume_step=self._step,
      write=jax.process_index() == 0,
    )

  @property
  def history(self) -> list[dict[str, Any]]:
    """The measures of every period so far."""
    return self._metrics.history

  @property
  def learned_transition(self) -> np.ndarray | None:
    """The transition matrix that the method has learnt, if it learns one."""
    if self._transition is None:
      return None
    return np.asarray(self._transition(self._state.params['method']))

  def close(self) -> None:
    """Waits until everything is on disk."""
    self._checkpoints.close()
    self._metrics.close()

  def train(self, watch: interrupt.Watch, title: str) -> None:
    """Runs to the last epoch."""
    steps = self._data.deal.steps
    epochs = self._config.epochs
    progress = log.Progress(
      title,
      total=epochs * steps,
      done=self._step,
      show=jax.process_index() == 0,
    )
    try:
      for epoch in range(self._step // steps, epochs):
        if self._is_stale():
          break
        stop = self._train_epoch(epoch, watch, progress)
        whole = self._step == (epoch + 1) * steps
        if whole and self._epoch_function:
          self._memory = self._end_epoch(self._epoch_function)
        last = epoch + 1 == epochs
        if whole and (last or (epoch + 1) % self._config.eval_every == 0):
          line = self._measure(epoch)
          progress.advance(_describe(line))
          last |= self._is_stale()
        if stop or last or (epoch + 1) % self._config.checkpoint_every == 0:
          self._save()
        if stop:
          raise errors.StoppedError(
            f'stopped at step {self._step}, which is saved: the same command '
            'goes on from there'
          )
    finally:
      progress.close()

  def _is_stale(self) -> bool:
    """Whether the held-out accuracy has not been better for long enough."""
    patience = self._config.early_stopping_epochs
    if not patience or not self.history:
      return False
    accuracies = [line['validation_accuracy'] for line in self.history]
    best = self.history[int(np.argmax(accuracies))]
    return self.history[-1]['epoch'] - best['epoch'] >= patience

  def write_predictions(self, workdir: pathlib.Path) -> None:
    """Writes what is predicted for training and validation examples, apart.

    The latter are of folds too, but no model has heard their labels.
    """
    for prefix, shards in (
      ('validation_', self._data.validation),
      ('', self._data.train),
    ):
      predictions = self._evaluator.predict(self._state, shards)
      if jax.process_index() == 0:
        path = workdir / f'{prefix}predictions.npz'
        record.write_arrays(path, predictions)
    # Nobody reads before it is there.
    devices.add_over_processes(0)

  def _train_epoch(
    self, epoch: int, watch: interrupt.Watch, progress: log.Progress
  ) -> bool:
    """Takes the epoch's steps; returns whether it was asked to stop."""
    steps = self._data.deal.steps
    rows = lanes.epoch_rows(
      self._data.train_index,
      self._data.deal,
      devices=self._local.numbers,
      seed=self._config.seed,
      epoch=epoch,
    )
    started = time.perf_counter()
    stop = False
    for position in range(self._step - epoch * steps, steps):
      self._state, self._memory, sums = self._step_function(
        self._state, self._memory, self._data.train, rows[position]
      )
      devices.keep_pace(sums)
      self._pending.append(sums)
      self._step += 1
      progress.advance()
      stop = watch.should_stop(self._step)
      if stop:
        break
    self._fetch()
    self._seconds += time.perf_counter() - started
    return stop

  def _end_epoch(self, function: Callable[..., Any]) -> Any:
    """The memory when the method has seen predictions for all its examples."""
    started = time.perf_counter()
    logits = self._evaluator.logits(self._state, self._data.train)
    memory = function(self._state, self._memory, self._data.train, logits)
    devices.keep_pace(memory)
    self._seconds += time.perf_counter() - started
    return memory

  def _fetch(self) -> None:
    """Brings the sums of the steps since the last call to the host."""
    fetched = jax.device_get(self._pending)
    for back, sums in zip(range(len(fetched), 0, -1), fetched, strict=True):
      if not np.isfinite(sums['loss']):
        raise self._not_finite(self._step - back + 1)
    self._sums = evaluate.add_sums([self._sums, *fetched])
    self._pending = []

  def _not_finite(self, step: int) -> errors.RunError:
    saved = self._checkpoints.latest_step()
    kept = 'there is none yet' if saved is None else f'step {saved}'
    return errors.RunError(
      f'the loss at step {step} is not finite; the last good checkpoint is '
      f'kept ({kept}): try a smaller config.optimizer.learning_rate, or '
      'config.optimizer.max_gradient_norm=5'
    )

  def _save(self) -> None:
    self._fetch()
    # The last step may have broken what its own loss did not show yet.
    for leaf in jax.tree.leaves((self._state, self._memory)):
      if not np.all(np.isfinite(leaf)):
        raise self._not_finite(self._step)
    self._checkpoints.save(self._step, self._state, self._memory, self._sums)

  def _measure(self, epoch: int) -> dict[str, Any]:
    """Measures everything that the field's rules ask for; writes one line."""
    sums, self._sums = self._sums, {}
    seconds, self._seconds = self._seconds, 0.0
    data = self._data
    train_set = self._evaluator(self._state, data.train, detect=True)
    validation = self._evaluator(self._state, data.validation, detect=False)
    test = self._evaluator(self._state, data.test, detect=False)
    line = {
      'step': self._step,
      'epoch': epoch + 1,
      'learning_rate': float(self._schedule(self._step - 1)),
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
      raise self._not_finite(self._step)
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
