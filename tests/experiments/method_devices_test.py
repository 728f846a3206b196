"""Methods that draw nothing on a device take the same steps on any number."""

import functools

import jax
import numpy as np
import pytest

from experiments import build
from experiments import devices
from experiments import models
from noisy_labels import methods
from noisy_labels import noise
from tests.experiments import toy

T = noise.symmetric(toy.NUM_CLASSES, 0.3, exclude_true=True)
METHODS = {
  'early_learning_regularization': {'beta': 0.7, 'weight': 3.0},
  'gold_loss_correction': {
    'transition': T,
    'trusted_labels': np.arange(4 * toy.ROWS) % 4 - 1,
  },
  'noise_adaptation_layer': {'transition': T},
  'sparse_over_parameterization': {
    'u_learning_rate': 10.0,
    'v_learning_rate': 10.0,
  },
  'transition_revision': {'transition': T, 'learning_rate': 0.01},
  'truncated_pruning': {'start_epochs': 1, 'every': 1},
  'volume_minimization': {},
}
QUICK = ('early_learning_regularization', 'volume_minimization')


@pytest.mark.parametrize(
  'name',
  [
    pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
    for name in METHODS
  ],
)
def test_one_device_takes_the_same_steps_as_four(name):
  method = getattr(methods, name)(**METHODS[name])
  parts = toy.parts(models.MLP(toy.NUM_CLASSES, width=8), method=method)
  parts = build.with_method(parts, method)
  one, four = (
    toy.run(
      parts,
      number,
      steps=5,
      mapped=functools.partial(
        devices.parallel, local=devices.local(jax.local_devices()[:number])
      ),
    )
    for number in (1, 4)
  )
  # Memory in the order of the examples.
  one, four = (
    (state, jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), memory), sums)
    for state, memory, sums in (one, four)
  )
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-4),
    one,
    four,
  )
