"""Measuring a model: every example counts once, on any number of devices."""

from collections.abc import Callable
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments import devices
from experiments import train
from experiments.data import dataset
from noisy_labels import losses


def eval_step(
  parts: train.Parts,
  state: train.TrainState,
  shards: dataset.Shards,
  rows: jax.Array,
  valid: jax.Array,
) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
  """Measures some rows of one device.

  Args:
    parts: what the run is made of.
    state: the same on every device.
    shards: this device's examples.
    rows: which of them to measure, `[batch]`.
    valid: 0 where a row only fills up the batch, `[batch]`.

  Returns:
    Sums over these rows; and for each row the cross entropy against the given
    label, whether that label is wrong, and the mask. Nothing is added over the
    devices here: see `devices.keep_pace`.
  """
  logits = _logits(parts, state, shards, rows)
  label, true_label = shards.label[rows], shards.true_label[rows]
  mask = shards.mask[rows] * valid
  predicted = jnp.argmax(logits, axis=-1)
  loss = losses.cross_entropy(logits, label)
  wrong = label != true_label
  sums = train.masked_sums(
    mask,
    loss=loss,
    correct=predicted == label,
    wrong=wrong,
    memorised=wrong & (predicted == label),
  )
  return sums, {'loss': loss, 'wrong': wrong, 'mask': mask}


def predict_step(
  parts: train.Parts,
  state: train.TrainState,
  shards: dataset.Shards,
  rows: jax.Array,
  valid: jax.Array,
) -> dict[str, jax.Array]:
  """Predicts some rows of one device; see `eval_step` for the arguments.

  Returns:
    For each row the log-probabilities of all classes, the given and the true
    label, the true label again where a method may know it (otherwise -1), the
    index, and the mask.
  """
  return {
    'log_probs': jax.nn.log_softmax(_logits(parts, state, shards, rows)),
    'label': shards.label[rows],
    'true_label': shards.true_label[rows],
    'trusted_label': shards.trusted_label[rows],
    'index': shards.index[rows],
    'mask': shards.mask[rows] * valid,
  }


def votes_step(
  parts: train.Parts,
  state: train.TrainState,
  shards: dataset.Shards,
  rows: jax.Array,
  valid: jax.Array,
) -> dict[str, jax.Array]:
  """As `predict_step`, and what each of several models says.

  Returns:
    Also `votes`, the class that each model predicts, int32 `[batch, size]`.
  """
  said = predict_step(parts, state, shards, rows, valid)
  logits = _apply(parts, _measured(state), shards.image[rows])
  said['votes'] = jnp.argmax(logits, axis=-1).astype(jnp.int32).T
  return said


def logits_step(
  parts: train.Parts,
  state: train.TrainState,
  shards: dataset.Shards,
  rows: jax.Array,
  valid: jax.Array,
) -> jax.Array:
  """The logits of some rows by the model that is trained, not its averages.

  See `eval_step` for the arguments; of several networks, those of each.
  """
  del valid
  model = state.params['model'], state.model_state
  return _apply(parts, model, shards.image[rows])


def _logits(parts, state, shards, rows):
  return parts.select(
    _apply(parts, _measured(state), shards.image[rows]), shards.index[rows]
  )


def _measured(state):
  return state.ema or (state.params['model'], state.model_state)


def _apply(parts, model, image) -> Any:
  params, model_state = model
  return parts.model.apply(
    {'params': params, **model_state}, parts.normalize(image), train=False
  )


class Evaluator:
  """Measures whole splits with one compiled step."""

  def __init__(
    self,
    parts: train.Parts,
    batch_size: int,
    local: devices.Local,
  ):
    """Prepares the step; a device measures `batch_size` examples at once."""
    self._parts = parts
    self._local = local
    self._batch_size = batch_size
    self._measure = self._parallel(eval_step)
    self._logits = self._parallel(logits_step)

  def _parallel(self, step: Callable[..., Any]) -> Callable[..., Any]:
    return devices.parallel(
      functools.partial(step, self._parts),
      in_axes=(None, 0, 0, 0),
      out_axes=0,
      local=self._local,
    )

  def __call__(
    self,
    state: train.TrainState,
    shards: dataset.Shards,
    *,
    detect: bool,
    after: Callable[[Any], None] | None = None,
  ) -> dict[str, float]:
    """Measures one split.

    Args:
      state: the model to measure.
      shards: the split.
      detect: whether to measure the losses as a detector of wrong labels, for
        which every process needs the losses of all examples.
      after: called with what each batch gave.

    Returns:
      `loss`, `accuracy` (of the given label), `memorised` (the share of wrong
      labels that the model predicts; NaN if none is wrong) and, if asked,
      `detector_auroc`.
    """
    fetched = self._run(self._measure, state, shards, after)
    sums = add_sums([sums for sums, _ in fetched])
    sums = jax.tree.map(devices.add_over_processes, sums)
    measures = {
      'loss': ratio(sums['loss'], sums['count']),
      'accuracy': ratio(sums['correct'], sums['count']),
      'memorised': ratio(sums['memorised'], sums['wrong']),
    }
    if detect:
      outputs = _gather([output for _, output in fetched])
      measures['detector_auroc'] = auroc(outputs['loss'], outputs['wrong'])
    return measures

  def predict(
    self,
    state: train.TrainState,
    shards: dataset.Shards,
    *,
    step: Callable[..., dict[str, jax.Array]] = predict_step,
    after: Callable[[Any], None] | None = None,
  ) -> dict[str, np.ndarray]:
    """Predicts one split.

    Args:
      state: the model.
      shards: the split.
      step: what to say of each example, as `predict_step`.
      after: called with what each batch gave.

    Returns:
      What `step` returns, of all processes' examples, by index.
    """
    outputs = _gather(self._run(self._parallel(step), state, shards, after))
    order = np.argsort(outputs['index'], kind='stable')
    return {name: value[order] for name, value in outputs.items()}

  def logits(
    self, state: train.TrainState, shards: dataset.Shards
  ) -> list[jax.Array]:
    """Logits of one split on the devices, in parts `[devices, ..., batch, K]`.

    The last part is filled up with the last row.
    """
    return self._run(self._logits, state, shards)

  def num_batches(self, shards: dataset.Shards) -> int:
    """In how many batches one split is predicted."""
    return -(-shards.mask.shape[1] // self._batch_size)

  def _run(
    self,
    step: Callable[..., Any],
    state: train.TrainState,
    shards: dataset.Shards,
    after: Callable[[Any], None] | None = None,
  ) -> list[Any]:
    num_rows = shards.mask.shape[1]
    batch_size = min(self._batch_size, num_rows)
    results = []
    for start in range(0, num_rows, batch_size):
      rows = np.arange(start, start + batch_size, dtype=np.int32)
      valid = (rows < num_rows).astype(np.float32)
      rows, valid = (
        np.tile(x, (len(self._local.devices), 1))
        for x in (np.minimum(rows, num_rows - 1), valid)
      )
      results.append(step(state, shards, rows, valid))
      if after:
        after(results[-1])
    return results


def _gather(outputs: list[dict[str, jax.Array]]) -> dict[str, np.ndarray]:
  """What was found of every example of all processes, without the padding."""
  gathered = [
    {name: devices.gather_rows(value) for name, value in output.items()}
    for output in outputs
  ]
  flat = {
    name: np.concatenate(
      [one[name].reshape(-1, *one[name].shape[2:]) for one in gathered]
    )
    for name in gathered[0]
  }
  kept = flat.pop('mask') > 0
  return {name: value[kept] for name, value in flat.items()}


def add_sums(sums: list[dict[str, Any]]) -> dict[str, float]:
  """Adds sums on the host in float64, step by step in order."""
  total: dict[str, float] = {}
  for one in jax.device_get(sums):
    for name, value in one.items():
      total[name] = total.get(name, 0.0) + float(np.sum(value, dtype=float))
  return total


def ratio(numerator: float, denominator: float) -> float:
  """Their quotient, or NaN where there is nothing to divide by."""
  return numerator / denominator if denominator else float('nan')


def auroc(scores: np.ndarray, wrong: np.ndarray) -> float:
  """Chance that a wrong label scores above a right one; NaN without both."""
  if np.all(wrong) or not np.any(wrong) or not np.all(np.isfinite(scores)):
    return float('nan')
  # Imported here because it is slow, and --help need not wait for it.
  from sklearn import metrics as sklearn_metrics

  return float(sklearn_metrics.roc_auc_score(wrong, scores))
