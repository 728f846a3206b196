"""Every example gets a prediction, and classes too small for it are named."""

import numpy as np
import pytest

from experiments import errors
from experiments.audit import held_out
from experiments.configs import audit

NAMES = ('a', 'b\n', 'c')


def _config(**fields):
  config = audit.get_config()
  config.folds = 3
  config.validation_fraction = 0.1
  config.update(fields)
  return config


def test_predictions_of_both_parts_are_by_index(tmp_path):
  whole = np.log(np.random.default_rng(0).dirichlet(np.ones(3), 7))
  for name, index in (
    ('predictions', [6, 0, 2, 3]),
    ('validation_predictions', [5, 1, 4]),
  ):
    np.savez(
      tmp_path / f'{name}.npz',
      index=np.array(index, np.int32),
      label=np.array(index, np.int32) % 3,
      log_probs=whole[index],
      true_label=np.full(len(index), 99),
    )
  found = held_out.read(tmp_path)
  np.testing.assert_array_equal(found.index, np.arange(7))
  np.testing.assert_array_equal(found.label, np.arange(7) % 3)
  np.testing.assert_array_equal(found.log_probs, whole)


def test_damaged_predictions_are_said(tmp_path):
  with pytest.raises(errors.RunError, match='cannot be read'):
    held_out.read(tmp_path)
  (tmp_path / 'predictions.npz').write_text('PK')
  with pytest.raises(errors.RunError, match='cannot be read'):
    held_out.read(tmp_path)


def _least_error(folder, votes):
  np.savez(folder / 'validation_predictions.npz', votes=votes)
  return held_out.least_error(folder)


def test_models_that_disagree_are_wrong(tmp_path):
  same = np.repeat(np.arange(50)[:, None] % 3, 5, axis=1)
  assert _least_error(tmp_path, same) == 0
  assert _least_error(tmp_path, np.tile(np.arange(5), (50, 1))) == 0.5
  rng = np.random.default_rng(0)
  for share in (0.1, 0.4):
    # Models with that share of mistakes, of which each has its own.
    wrong = rng.random((2000, 5)) < share
    votes = np.where(wrong, rng.integers(1, 4, wrong.shape), 0)
    assert 0.6 * share < _least_error(tmp_path, votes) < wrong.mean()
  # Of few examples nothing is certain.
  few = np.array([[0, 1], *[[0, 0]] * 30])
  assert _least_error(tmp_path, few) == 0
  assert _least_error(tmp_path, np.array([[0, 1]])) is None


def test_runs_that_have_noted_no_votes(tmp_path):
  np.savez(tmp_path / 'validation_predictions.npz', label=np.zeros(3))
  assert held_out.least_error(tmp_path) is None


def test_small_classes_are_named():
  labels = np.zeros(60, int)
  labels[30] = 1
  assert held_out.problems(labels, NAMES, _config()) == [
    '1 class has no example: c.',
    '1 class has one example, whose label no model can judge: b\\n.',
  ]
  assert held_out.problems(np.arange(60) % 3, NAMES, _config()) == []


def test_a_class_within_one_fold_is_named():
  config = _config(folds=2)
  sentence = (
    '1 class is so small that a model had to judge it without having met it: c.'
  )
  said = 0
  for first in range(20):
    labels = np.arange(60) % 2
    labels[[first, first + 20]] = 2
    problems = held_out.problems(labels, NAMES, config)
    assert problems in ([], [sentence])
    said += bool(problems)
  # Two examples are in the same of two folds every other time, or held out.
  assert 4 < said < 18


def test_of_the_folds_of_others_only_sizes_are_known():
  labels = np.array([0, 0, 1, 0])
  assert len(held_out.problems(labels, NAMES, None)) == 2
  assert held_out.problems(np.arange(6) % 3, NAMES, None) == []
