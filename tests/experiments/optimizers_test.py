"""Schedules and optimisers by name."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments import errors
from experiments import optimizers
from experiments.configs import common


def _config(**changes):
  config = common.get_config()
  config.update_from_flattened_dict(changes)
  return config


@pytest.mark.parametrize(
  ('name', 'values'),
  [
    # At epochs 0, 1, 2, 3 of 4, of ten steps each.
    ('constant', (1.0, 1.0, 1.0, 1.0)),
    ('cosine', (1.0, 0.853553, 0.5, 0.146447)),
    ('step', (1.0, 1.0, 0.1, 0.01)),
    ('exponential', (1.0, 0.1, 0.01, 0.001)),
  ],
)
def test_schedules(name, values):
  config = _config(
    **{
      'epochs': 4,
      'optimizer.learning_rate': 1.0,
      'schedule.name': name,
      'schedule.boundaries': (2, 3),
    }
  )
  schedule = optimizers.make_schedule(config, 10)
  # optax counts a boundary's own step as before it.
  shift = 1 if name == 'step' else 0
  for epoch, value in enumerate(values):
    assert schedule(10 * epoch + shift) == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize('name', ['constant', 'cosine', 'step', 'exponential'])
def test_warm_up_is_linear_and_delays_the_schedule_as_it_should(name):
  config = _config(
    **{
      'epochs': 4,
      'optimizer.learning_rate': 1.0,
      'schedule.name': name,
      'schedule.boundaries': (2, 3),
      'schedule.warmup_epochs': 1.0,
    }
  )
  schedule = optimizers.make_schedule(config, 10)
  np.testing.assert_allclose(
    [schedule(step) for step in range(11)], np.arange(11) / 10, rtol=1e-5
  )
  if name == 'step':
    assert schedule(19) == pytest.approx(1.0)
    assert schedule(21) == pytest.approx(0.1)


def _linear(**changes):
  return _config(
    **{
      'epochs': 4,
      'optimizer.learning_rate': 1.0,
      'schedule.name': 'linear',
      'schedule.boundaries': (2,),
      **changes,
    }
  )


@pytest.mark.parametrize('warmup', [0.0, 1.0])
def test_linear_stays_and_then_falls_to_nothing_at_the_end(warmup):
  config = _linear(**{'schedule.warmup_epochs': warmup})
  schedule = optimizers.make_schedule(config, 10)
  steps = np.arange(40)
  want = np.minimum(1, (40 - steps) / 20)
  if warmup:
    want[:10] = steps[:10] / 10
  got = [schedule(step) for step in steps]
  np.testing.assert_allclose(got, want, rtol=1e-5)
  assert schedule(40) == 0


@pytest.mark.parametrize('boundaries', [(), (1, 2), (4,), (-1,)])
def test_linear_falls_from_one_epoch(boundaries):
  config = _linear(**{'schedule.boundaries': boundaries})
  with pytest.raises(errors.UsageError, match=r'such as \(2,\)'):
    optimizers.make_schedule(config, 10)


def test_linear_falls_after_the_warm_up():
  config = _linear(**{'schedule.warmup_epochs': 2.5})
  with pytest.raises(errors.UsageError, match=r'warmup_epochs=2\.5 ends after'):
    optimizers.make_schedule(config, 10)


def test_weight_decay_of_sgd_is_added_to_the_gradient_as_in_pytorch():
  config = _config(
    **{
      'optimizer.name': 'sgd',
      'optimizer.learning_rate': 0.1,
      'optimizer.momentum': 0.9,
      'optimizer.weight_decay': 0.01,
      'schedule.name': 'constant',
    }
  )
  optimizer = optimizers.make(config, 10)
  weights, velocity = np.array([2.0, -1.0]), np.zeros(2)
  params = jnp.array(weights)
  state = optimizer.init(params)
  for gradient in ([1.0, 0.5], [-0.3, 2.0], [0.0, 0.0]):
    gradient = np.array(gradient)
    velocity = 0.9 * velocity + gradient + 0.01 * weights
    weights = weights - 0.1 * velocity
    updates, state = optimizer.update(
      jnp.array(gradient, jnp.float32), state, params
    )
    params = optax.apply_updates(params, updates)
  np.testing.assert_allclose(params, weights, rtol=1e-5)


def test_weight_decay_of_adamw_is_decoupled():
  config = _config(
    **{
      'optimizer.name': 'adamw',
      'optimizer.learning_rate': 0.1,
      'optimizer.weight_decay': 0.01,
      'schedule.name': 'constant',
    }
  )
  optimizer = optimizers.make(config, 10)
  params = jnp.array([2.0])
  updates, _ = optimizer.update(jnp.zeros(1), optimizer.init(params), params)
  np.testing.assert_allclose(updates, [-0.1 * 0.01 * 2.0], rtol=1e-5)


def test_gradient_clipping_limits_the_global_norm():
  config = _config(
    **{
      'optimizer.name': 'sgd',
      'optimizer.learning_rate': 1.0,
      'optimizer.momentum': 0.0,
      'optimizer.max_gradient_norm': 5.0,
      'schedule.name': 'constant',
    }
  )
  optimizer = optimizers.make(config, 10)
  params = {'a': jnp.zeros(1), 'b': jnp.zeros(1)}
  gradients = {'a': jnp.array([30.0]), 'b': jnp.array([40.0])}
  updates, _ = optimizer.update(gradients, optimizer.init(params), params)
  np.testing.assert_allclose(
    jax.tree.leaves(updates), [[-3.0], [-4.0]], rtol=1e-6
  )


def test_warm_up_must_leave_epochs():
  config = _config(**{'epochs': 2, 'schedule.warmup_epochs': 2.0})
  with pytest.raises(errors.UsageError, match='warmup_epochs'):
    optimizers.make_schedule(config, 10)
