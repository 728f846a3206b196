"""A count that cannot be believed is said to be so."""

import pytest

from experiments.audit import telling
from experiments.configs import audit as audit_config


@pytest.mark.parametrize(
  ('accuracy', 'least_error', 'match'),
  [
    (0.3, 0.23, 'at least 23% of what they predict is wrong'),
    (0.9, 0.23, 'at least 23%'),
    (0.3, None, 'of 30% of the examples alone'),
    (0.3, 0.02, None),  # They agree: so labels are wrong.
    (0.7, None, None),
  ],
)
def test_weak_models_are_told_from_wrong_labels(accuracy, least_error, match):
  found = telling.doubts(5, (3, 8), accuracy, least_error)
  assert len(found) == (match is not None)
  assert match is None or match in found[0]


def test_a_number_outside_its_interval():
  (found,) = telling.doubts(9, (3, 8), 0.9, 0.0)
  assert '9, is outside its own interval, 3 to 8' in found


def test_an_estimator_without_an_interval_has_none_to_be_outside_of():
  assert not telling.doubts(9, None, 0.9, 0.0)


def test_what_arrays_do_not_need_is_named():
  config = audit_config.get_config()
  assert not telling.ignored(config)
  config.noise_estimate, config.seed = 'anchor_points', 3
  assert not telling.ignored(config)
  config.epochs, config.loss.q = 4, 0.9
  said = telling.ignored(config)
  assert 'config.epochs, config.loss.q changes nothing' in said
