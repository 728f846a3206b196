"""The tables of detectors on known wrong labels, and from images."""

import json

import numpy as np
import pytest

from experiments import detection_scores
from experiments import detection_table
from experiments import end_to_end
from experiments.configs import detection_table as table_config
from experiments.configs import end_to_end as end_to_end_config
from tests.estimation import problems
from tests.experiments import programs


@pytest.fixture(scope='module')
def compared():
  true, given = problems.labels(1200)
  rng = np.random.default_rng(0)
  probs = 0.3 * rng.dirichlet(np.ones(4), 1200)
  probs = 0.7 * problems.clean_probs(true) + probs
  return detection_scores.compare(given, probs.astype(np.float32), true)


def test_both_tools_find_the_same_where_they_are_the_same(compared):
  ours, theirs = compared['ours'], compared['cleanlab']
  assert ours['masks'] == theirs['masks']
  for name in ('self_confidence', 'normalized_margin'):
    assert ours['scores'][name] == pytest.approx(theirs['scores'][name], 1e-3)
  assert {*theirs['scores']} == {*detection_scores.SHARED}
  assert {*ours['scores']} > {*theirs['scores']}


def test_good_predictions_find_what_is_wrong(compared):
  assert compared['accuracy'] > 0.99
  for score in compared['ours']['scores'].values():
    assert min(score.values()) > 0.95
  for mask in compared['ours']['masks'].values():
    assert mask['precision'] > 0.9
  lower, upper = compared['expected'][1:]
  assert lower < compared['expected'][0] < upper


def test_equal_scores_count_by_their_share():
  wrong = np.array([True, True, False, False])
  score = np.array([0.9, 0.5, 0.5, 0.1])
  quality = detection_scores.score_quality(wrong, score)
  assert quality['precision'] == pytest.approx(0.75)
  best = detection_scores.score_quality(wrong, wrong.astype(float))
  assert best == {'average_precision': 1.0, 'precision': 1.0}


def test_mask_quality():
  wrong = np.array([True, True, False, False])
  mask = np.array([True, False, False, False])
  assert detection_scores.mask_quality(wrong, mask) == {
    'number': 1,
    'precision': 1.0,
    'recall': 0.5,
  }
  nothing = detection_scores.mask_quality(wrong, np.zeros(4, bool))
  assert nothing['precision'] == nothing['recall'] == 0


def test_a_row_that_loses_is_named(compared):
  lost = json.loads(json.dumps(compared))
  lost['cleanlab']['scores']['self_confidence']['precision'] = 1.1
  text = detection_table.tables({'fine': compared, 'bad': lost})
  assert len(text) == 4
  assert '| bad |' in text[0]
  assert '| bad* |' in text[1]
  assert '| fine |' in text[1]


def test_every_problem_of_the_issue_is_there():
  assert list(table_config.get_config().problems) == [
    'MNIST, symmetric 20%',
    'MNIST, symmetric 40%',
    'MNIST, pair flip 20%',
    'MNIST, asymmetric 40%',
    'MNIST, part-dependent 20%',
    'MNIST, asymmetric 40%, GCE',
    'CIFAR-10N aggregate',
    'CIFAR-10N random 1',
    'CIFAR-10N worst',
  ]
  config = end_to_end_config.get_config()
  assert list(config.problems) == ['digits', 'MNIST']
  assert set(config.recipes) <= {*end_to_end.RECIPES}


@pytest.fixture
def small_configs(tmp_path):
  for name in ('detection_table', 'end_to_end'):
    (tmp_path / f'{name}.py').write_text(
      f'from experiments.configs import {name}\n'
      'def get_config():\n'
      f'  config = {name}.get_config()\n'
      "  config.base.dataset = 'digits'\n"
      "  config.base.model.name = 'mlp'\n"
      '  config.base.batch_size = 64\n'
      '  config.base.epochs = 3\n'
      '  for name in list(config.problems)[1:]:\n'
      '    del config.problems[name]\n'
      '  return config\n'
    )
  return tmp_path


@pytest.mark.slow
def test_one_command_trains_and_compares(small_configs, tmp_path, data_dir):
  flags = [
    f'--config={small_configs / "detection_table.py"}',
    f'--workdir={tmp_path / "run"}',
    f'--data_dir={data_dir}',
  ]
  out, _ = programs.run('experiments.detection_table', *flags)
  assert '| MNIST, symmetric 20% |' in out
  ((_, result),) = json.loads(
    (tmp_path / 'run/results.json').read_text()
  ).items()
  scores = result['ours']['scores']
  assert scores['ensemble']['average_precision'] > 0.5


@pytest.mark.slow
def test_from_images(small_configs, tmp_path, data_dir):
  flags = [
    f'--config={small_configs / "end_to_end.py"}',
    '--config.recipes=("logistic regression",)',
    f'--workdir={tmp_path / "run"}',
    f'--data_dir={data_dir}',
  ]
  out, _ = programs.run('experiments.end_to_end', *flags)
  assert '| digits | ours |' in out
  saved = tmp_path / 'run/digits/logistic_regression.json'
  assert json.loads(saved.read_text())['average_precision'] > 0.7
  again, _ = programs.run('experiments.end_to_end', *flags)
  assert again == out
