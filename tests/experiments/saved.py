"""What runs have saved, and whether two of them are the same run."""

import jax
import numpy as np
from orbax import checkpoint as orbax

from tests.experiments import programs


def last(workdir):
  """The step of the last checkpoint, and its `state` and `memory`."""
  with orbax.CheckpointManager((workdir / 'checkpoints').absolute()) as manager:
    step = manager.latest_step()
    restored = manager.restore(
      step, args=orbax.args.Composite(run=orbax.args.StandardRestore())
    )
  return step, restored['run']


def assert_same(one, other):
  """Two runs are the same to the last bit."""
  assert programs.curve(one) == programs.curve(other)
  _assert_same_arrays(one, other, np.testing.assert_array_equal)


def assert_close(one, other, **tolerances):
  """Two runs are the same, but for rounding."""
  programs.assert_close_curves(programs.curve(one), programs.curve(other))

  def close(left, right, err_msg):
    np.testing.assert_allclose(left, right, err_msg=err_msg, **tolerances)

  _assert_same_arrays(one, other, close)


def _assert_same_arrays(one, other, check):
  (step, tree), (other_step, other_tree) = last(one), last(other)
  assert step == other_step
  jax.tree_util.tree_map_with_path(
    lambda path, left, right: check(
      left, right, err_msg=jax.tree_util.keystr(path)
    ),
    tree,
    other_tree,
  )
