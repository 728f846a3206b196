"""What a run thinks of each training label: its model, and its method."""

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from experiments import devices
from experiments import evaluate
from experiments import progress as progress_lib
from experiments import restore
from experiments import train
from experiments.data import dataset

# What there is of every run, in this order; `experiments.export` explains it.
COLUMNS = (
  'index',
  'label',
  'predicted',
  'label_probability',
  'predicted_probability',
  'loss',
  'true_label',
  'held_out',
)

# A method's opinion is asked of so many examples at a time.
_BLOCK = 65536


def columns(run: restore.Restored) -> dict[str, np.ndarray]:
  """`COLUMNS` and those of the method, by index.

  Args:
    run: a run that was finished or stopped.

  Returns:
    From each name to `[N]`, NaN where there is nothing to say.
  """
  table = _predict(run)
  if not _knows_more(run.config):
    del table['true_label']
  trained = table['held_out'] == 0
  if run.config.folds:
    table['held_out'][:] = 1
  for name, values in _opinion(run, table['label'][trained]).items():
    table[name] = np.full(len(trained), np.nan, np.float32)
    table[name][trained] = values
  return table


def _predict(run: restore.Restored) -> dict[str, np.ndarray]:
  """What the model says of the training and the held-out examples."""
  state = devices.replicate(run.state, run.local)
  evaluator = evaluate.Evaluator(
    run.parts, run.config.eval_batch_size, run.local
  )
  splits = (run.data.train, run.data.validation)
  with progress_lib.Progress(
    'predicting', total=sum(map(evaluator.num_batches, splits))
  ) as progress:

    def after(outputs):
      # The bar shows what is done, and not what is asked for.
      jax.block_until_ready(outputs)
      progress.advance()

    train_set, validation = (
      evaluator.predict(state, shards, step=label_step, after=after)
      for shards in splits
    )
  train_set['held_out'] = np.zeros_like(train_set['index'])
  validation['held_out'] = np.ones_like(validation['index'])
  order = np.argsort(
    np.concatenate([train_set['index'], validation['index']]), kind='stable'
  )
  return {
    name: np.concatenate([train_set[name], validation[name]])[order]
    for name in COLUMNS
  }


def label_step(
  parts: train.Parts,
  state: train.TrainState,
  shards: dataset.Shards,
  rows: jax.Array,
  valid: jax.Array,
) -> dict[str, jax.Array]:
  """Of each row what the model says of its label; see `evaluate.eval_step`."""
  said = evaluate.predict_step(parts, state, shards, rows, valid)
  log_probs = said.pop('log_probs')
  predicted = jnp.argmax(log_probs, axis=-1)
  log_p = jnp.take_along_axis(log_probs, said['label'][:, None], axis=-1)[:, 0]
  return {
    **said,
    'predicted': predicted,
    'label_probability': jnp.exp(log_p),
    'predicted_probability': jnp.exp(jnp.max(log_probs, axis=-1)),
    'loss': -log_p,
  }


def _knows_more(config: ml_collections.ConfigDict) -> bool:
  """Whether the data set's own label is another thing than the one given."""
  noise = config.noise
  return bool(noise.file or noise.column) or noise.name != 'none'


def _opinion(
  run: restore.Restored, labels: np.ndarray
) -> dict[str, np.ndarray]:
  """What the method says of each label that it was trained with."""
  if run.parts.method.opinion is None:
    return {}
  ask = jax.jit(run.parts.method.opinion)
  parts = []
  for start in range(0, len(labels), _BLOCK):
    block = slice(start, start + _BLOCK)
    memory = jax.tree.map(lambda leaf, block=block: leaf[block], run.memory)
    parts.append(jax.device_get(ask(memory, labels[block])))
  return {
    name: np.concatenate([part[name] for part in parts]) for name in parts[0]
  }
