"""The configuration fits data of any size."""

import numpy as np
import pytest

from experiments import errors
from experiments.audit import plan
from experiments.configs import audit
from experiments.data import lanes


@pytest.mark.parametrize(
  ('number', 'epochs'), [(36, 60), (1437, 14), (60_000, 3), (2, 60)]
)
def test_epochs_are_by_the_number_of_examples(number, epochs):
  assert plan.fit(audit.get_config(), number).epochs == epochs


def test_batches_are_larger_of_many_examples():
  assert plan.fit(audit.get_config(), 1437).batch_size == 64
  assert plan.fit(audit.get_config(), 60_000).batch_size == 128


def test_photographs_are_seen_more_often():
  fitted = plan.fit(audit.get_config(), 60_000, has_color=True)
  assert fitted.epochs == 10


def test_what_is_set_stays():
  config = audit.get_config()
  config.epochs, config.batch_size = 3, 32
  fitted = plan.fit(config, 10_000)
  assert fitted.to_dict() == config.to_dict()


@pytest.mark.parametrize(('number', 'removed'), [(30, 1), (60, 11), (70, 3)])
def test_what_a_review_leaves_can_be_trained_on(number, removed):
  config = plan.fit(audit.get_config(), number)
  kept, held = lanes.hold_out(
    number, config.validation_fraction, seed=config.seed
  )
  # All from one part, the worst case.
  for index in (kept[:removed], held):
    fitted = plan.fit_without(config, number, index)
    still_kept, still_held = (
      np.setdiff1d(part, index)
      for part in lanes.hold_out(
        number, fitted.validation_fraction, seed=config.seed
      )
    )
    assert 0 < fitted.batch_size <= len(still_kept)
    assert len(still_held)


def test_a_review_that_leaves_nothing_is_refused():
  config = plan.fit(audit.get_config(), 30)
  for left in (0, 1):
    with pytest.raises(errors.UsageError, match='leaves too few'):
      plan.fit_without(config, 30, np.arange(30 - left))


@pytest.mark.parametrize('number', [2, 3, 5, 19, 36, 65])
def test_tiny_data_can_be_trained_on(number):
  config = plan.fit(audit.get_config(), number)
  kept, held = lanes.hold_out(
    number, config.validation_fraction, seed=config.seed
  )
  assert len(held) >= 1
  devices = len(plan.local(number).devices)
  deal = lanes.Deal(len(kept), devices, config.batch_size)
  assert deal.steps >= 1
  assert config.batch_size % devices == 0
  assert 2 <= config.folds <= max(2, number)


def test_neither_run_estimates_noise_by_itself():
  config = plan.fit(audit.get_config(), 100)
  assert config.noise_estimate == 'confident_joint'
  assert plan.of_folds(config).noise_estimate is None
  assert plan.of_folds(config).folds == 5
  assert plan.of_model(config).noise_estimate is None
  assert plan.of_model(config).folds == 0
