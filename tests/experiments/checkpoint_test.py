import jax
import numpy as np
import pytest

from experiments import checkpoint
from experiments import devices
from experiments import train
from experiments.data import lanes

STATE = train.TrainState(
  step=np.int32(7),
  params={'model': {'w': np.arange(3.0, dtype=np.float32)}, 'method': {}},
  model_state={},
  opt_state=(),
  ema=(),
  key=np.array([1, 2], np.uint32),
)


def _dealt(examples, deal):
  """Rows `[devices, rows, ...]` of a memory in index order; padding is -1."""
  bounds = deal.bounds(deal.num_devices)
  out = np.full((deal.num_devices, deal.rows, *examples.shape[1:]), -1.0)
  for device in range(deal.num_devices):
    share = examples[bounds[device] : bounds[device + 1]]
    out[device, : len(share)] = share
  return out.astype(np.float32)


@pytest.mark.parametrize('resumed_on', [1, 2, 4])
@pytest.mark.parametrize('saved_on', [1, 2, 4])
def test_memory_follows_its_examples_to_other_devices(
  tmp_path, saved_on, resumed_on
):
  examples = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
  deal = lanes.Deal(10, saved_on, 8)
  placed = devices.place(
    {'targets': _dealt(examples, deal)},
    devices.local(jax.local_devices()[:saved_on]),
  )
  saver = checkpoint.Checkpoints(tmp_path, deal)
  sums = {'loss': 0.1 + 0.2, 'count': 3.0}
  saver.save(7, STATE, placed, sums)
  saver.close()

  deal = lanes.Deal(10, resumed_on, 8)
  loader = checkpoint.Checkpoints(tmp_path, deal)
  assert loader.latest_step() == 7
  template = {'targets': np.zeros((deal.rows, 3), np.float32)}
  state, memory, restored_sums = loader.restore(
    jax.tree.map(np.zeros_like, STATE),
    template,
    devices.local(jax.local_devices()[:resumed_on]),
  )
  loader.close()
  jax.tree.map(np.testing.assert_array_equal, state, STATE)
  assert restored_sums == sums
  kept = np.arange(deal.rows) < np.diff(deal.bounds(resumed_on))[:, None]
  np.testing.assert_array_equal(
    memory['targets'][kept], _dealt(examples, deal)[kept]
  )


def test_nothing_saved_is_nothing_to_resume(tmp_path):
  checkpoints = checkpoint.Checkpoints(tmp_path, lanes.Deal(10, 1, 8))
  assert checkpoints.latest_step() is None
  checkpoints.close()
