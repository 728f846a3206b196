"""From a configuration to the parts of the step."""

import numpy as np
import pytest

from experiments import build
from experiments import models
from experiments import noises
from experiments.configs import common
from noisy_labels import methods
from tests.experiments import toy


def _config(**changes):
  config = common.get_config()
  config.update_from_flattened_dict(changes)
  return config


def test_noise_none_changes_no_label():
  config = _config(**{'noise.name': 'none'})
  np.testing.assert_array_equal(
    noises.make_transition(config.noise, 4), np.eye(4)
  )


@pytest.mark.parametrize(
  ('of_run', 'of_method', 'want'),
  [
    (0.0, 0.0, 0.0),
    (0.9, 0.0, 0.9),
    (0.0, 0.997, 0.997),
    # The averages that are measured are those that the method asks for.
    (0.9, 0.997, 0.9),
  ],
)
def test_the_runs_decay_of_averages_wins_over_the_methods(
  of_run, of_method, want
):
  method = methods.volume_minimization()._replace(ema_decay=of_method)
  parts = toy.parts(models.MLP(3, width=8), ema_decay=of_run)
  assert build.with_method(parts, method).ema_decay == want
