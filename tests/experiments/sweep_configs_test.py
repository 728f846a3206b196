"""Sweeps that come with the experiments."""

import pathlib

import ml_collections
import numpy as np
import pytest

from experiments import build
from experiments import errors
from experiments import loss_fields
from experiments import named_losses
from experiments import sweep_runs
from experiments import trust
from experiments.configs import all_losses
from experiments.configs import cifar10_methods
from experiments.configs import common
from experiments.configs import four_systems
from experiments.configs import mnist_methods


def test_every_loss_is_in_the_sweep_of_all():
  config = all_losses.get_config('0.5')
  assert config.base.noise.rate == 0.5
  assert list(config.systems)[:4] == list(four_systems.get_config().systems)
  named = {system['loss']['name'] for system in config.systems.values()}
  assert named == set(loss_fields.names())
  for fields in config.systems.values():
    run = build.one_config(config, fields, 1)
    named_losses.make(run.loss, named_losses.facts(np.eye(10), np.eye(10)))


@pytest.mark.parametrize(
  ('config', 'number'),
  [
    (four_systems.get_config(), 12),
    (all_losses.get_config('0.3,0.5'), 258),
    (mnist_methods.get_config(), 138),
    (cifar10_methods.get_config(), 10),
    (cifar10_methods.get_config('full'), 15),
  ],
)
def test_all_runs_can_be_meant(config, number):
  sweeps = config.get('sweeps', {'': config}).values()
  found = 0
  for sweep in sweeps:
    sweep.seeds = config.seeds
    found += len(sweep_runs.runs(sweep, pathlib.Path('runs')))
  assert found == number


def test_four_systems_are_told_the_rate_that_they_face():
  config = four_systems.get_config('0.45')
  assert config.base.noise.rate == 0.45
  assert config.systems.mixture_cross_entropy.loss.noise_rate == pytest.approx(
    0.5
  )
  assert isinstance(common.get_config(), ml_collections.ConfigDict)


def test_without_noise_nothing_is_clipped_or_mixed():
  systems = four_systems.get_config('0').systems
  assert systems.clipped_cross_entropy.loss.max_loss == float('inf')
  assert systems.mixture_cross_entropy.loss.noise_rate == 0
  with pytest.raises(errors.UsageError, match="'much' is no rate"):
    four_systems.get_config('much')


def test_trust_weights_are_those_of_the_formulas():
  losses = {
    name: named_losses.make(
      build.one_config(four_systems.get_config(), fields, 0).loss,
      named_losses.facts(np.eye(10), np.eye(10)),
    )
    for name, fields in four_systems.get_config().systems.items()
  }
  probs = np.array([1e-3, 0.01, 0.1, 0.5, 0.9])
  weights = {
    name: trust.weights(loss, probs, 10) for name, loss in losses.items()
  }
  rate = 1 / 3
  c = rate / (10 * (1 - rate))
  np.testing.assert_allclose(weights['cross_entropy'], 1, rtol=1e-4)
  np.testing.assert_allclose(
    weights['mixture_cross_entropy'], probs / (probs + c), rtol=1e-4
  )
  np.testing.assert_allclose(
    weights['clipped_cross_entropy'], probs > 0.3 / 10, rtol=1e-4
  )
  np.testing.assert_allclose(
    weights['smoothed_cross_entropy'],
    (1 - 0.3 + 0.03 - probs) / (1 - probs),
    rtol=1e-3,
  )
