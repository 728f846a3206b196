import html.parser
import json
import pathlib
import re
import sys
import types

import ml_collections
import numpy as np
import pytest

from experiments import build
from experiments import errors
from experiments import groups
from experiments import loop
from experiments import loss_fields
from experiments import main
from experiments import named_losses
from experiments import record
from experiments import report_page
from experiments import sweep
from experiments import table
from experiments import trust
from experiments.configs import all_losses
from experiments.configs import common
from experiments.configs import four_systems
from tests.experiments import programs


def _sweep(**base):
  config = four_systems.get_config()
  config.seeds = 2
  for name in ('clipped_cross_entropy', 'smoothed_cross_entropy'):
    del config.systems[name]
  config.base.update_from_flattened_dict(
    {
      'epochs': 2,
      'model.name': 'mlp',
      'checkpoint_every': 2,
      **base,
    }
  )
  return config


@pytest.fixture(scope='module')
def finished(tmp_path_factory, data_dir):
  workdir = tmp_path_factory.mktemp('sweep')
  config = _sweep()
  summaries = sweep.run(config, workdir, data_dir=data_dir)
  return config, workdir, summaries


def test_every_system_runs_with_every_seed(finished):
  _, workdir, summaries = finished
  assert list(summaries) == ['cross_entropy', 'mixture_cross_entropy']
  for name, runs in summaries.items():
    assert len(runs) == 2
    for seed in range(2):
      saved = json.loads(
        (workdir / name / f'seed{seed}/config.json').read_text()
      )
      assert saved['loss']['name'] == name
      assert saved['seed'] == seed
  # The systems of a seed see the same wrong labels.
  counts = [
    [run['noise_counts'] for run in runs] for runs in summaries.values()
  ]
  assert all(one == counts[0] for one in counts)
  assert counts[0][0] != counts[0][1]


def test_the_table_has_means_and_sample_deviations(finished):
  _, _, summaries = finished
  cells = table.rows(summaries)['mixture_cross_entropy']
  for column, cell in zip(table.COLUMNS, cells, strict=True):
    values = [
      100 * run[column.rule][column.measure]
      for run in summaries['mixture_cross_entropy']
    ]
    assert cell.mean == pytest.approx(sum(values) / 2)
    assert cell.std == pytest.approx(abs(values[0] - values[1]) / 2**0.5)


def test_a_ranking_has_the_best_first(finished):
  _, _, summaries = finished
  ranked = table.ranked(summaries, 'best_test')
  assert sorted(ranked) == sorted(summaries)
  means = [cells[2].mean for cells in table.rows(ranked).values()]
  assert means == sorted(means, reverse=True)


def test_the_table_prints_whole_names(finished, capsys):
  _, _, summaries = finished
  table.show(summaries, 'title')
  out = capsys.readouterr().out
  for name in summaries:
    assert name in out


class _Page(html.parser.HTMLParser):
  def __init__(self):
    super().__init__()
    self.tags = []
    self.links = []

  def handle_starttag(self, tag, attrs):
    self.tags.append(tag)
    self.links += [v for k, v in attrs if k in ('src', 'href', 'xlink:href')]


def test_the_report_is_one_page_that_loads_nothing(finished):
  config, workdir, summaries = finished
  compared = groups.of_sweep(workdir, config, summaries)
  text = report_page.write(workdir, compared).read_text()
  page = _Page()
  page.feed(text)
  assert page.tags.count('svg') == 4
  assert 'script' not in page.tags
  assert all(link.startswith(('#', 'data:')) for link in page.links)
  assert not re.findall(r'url\((?!#)', text)
  for cells in table.rows(summaries).values():
    for cell in cells:
      assert str(cell) in text


def test_names_in_the_report_are_escaped(finished):
  config, workdir, summaries = finished
  config = config.copy_and_resolve_references()
  config.base.model.name = '<script>alert(1)</script>'
  compared = groups.of_sweep(workdir, config, summaries)
  text = report_page.write(workdir, compared).read_text()
  assert '<script>' not in text


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


def _set_flags(monkeypatch, config, workdir, data_dir=None, index=None):
  """As though both programs had been started with these flags."""
  flags = types.SimpleNamespace(
    config=config,
    workdir=str(workdir),
    data_dir=data_dir,
    index=index,
    state=False,
    together=1,
    grid=None,
    seeds=None,
  )
  for program in (main, sweep):
    monkeypatch.setattr(program, 'FLAGS', flags)


def test_one_command_prints_and_writes_and_does_not_repeat(
  tmp_path, data_dir, monkeypatch, capsys
):
  flags = [
    f'--workdir={tmp_path}',
    f'--data_dir={data_dir}',
    '--config.seeds=1',
    '--config.base.epochs=1',
    '--config.base.model.name=mlp',
  ]
  out, _ = programs.run('experiments.sweep', *flags)
  assert 'mixture_cross_entropy' in out
  assert str(tmp_path / 'report.html') in out
  assert (tmp_path / 'report.html').stat().st_size > 10_000
  results = json.loads((tmp_path / 'results.json').read_text())
  assert list(results) == [
    'cross_entropy',
    'clipped_cross_entropy',
    'mixture_cross_entropy',
    'smoothed_cross_entropy',
  ]
  before = (tmp_path / 'cross_entropy/seed0/metrics.jsonl').stat().st_mtime_ns
  # The other program takes a sweep as well.
  config = four_systems.get_config()
  config.seeds = 1
  config.base.update_from_flattened_dict({'epochs': 1, 'model.name': 'mlp'})
  _set_flags(monkeypatch, config, workdir=tmp_path, data_dir=data_dir)
  main.main()
  assert 'report.html' in capsys.readouterr().out
  after = (tmp_path / 'cross_entropy/seed0/metrics.jsonl').stat().st_mtime_ns
  assert before == after


def test_a_task_of_an_array_makes_one_run(tmp_path, data_dir):
  flags = [
    '--config=experiments/configs/four_systems.py',
    f'--workdir={tmp_path}',
    f'--data_dir={data_dir}',
    '--config.seeds=2',
    '--config.base.epochs=1',
    '--config.base.model.name=mlp',
  ]
  # The sixth: the second system with the second seed.
  out, _ = programs.run('experiments.main', *flags, '--index=5')
  assert '[6/8] clipped_cross_entropy, seed 1: test accuracy' in out
  assert 'by noisy validation' in out
  assert 'Report' not in out
  found, unfinished = groups.find([str(tmp_path)])
  assert [group.folders for group in found.values()] == [
    [tmp_path / 'clipped_cross_entropy/seed1']
  ]
  assert not unfinished
  assert not (tmp_path / 'results.json').exists()


def test_runs_are_numbered_as_they_are_run():
  config = _sweep()
  numbered = sweep.runs(config, pathlib.Path('runs'))
  assert [(one.system, one.config.seed) for one in numbered] == [
    ('cross_entropy', 0),
    ('mixture_cross_entropy', 0),
    ('cross_entropy', 1),
    ('mixture_cross_entropy', 1),
  ]
  assert numbered[3].workdir == pathlib.Path('runs/mixture_cross_entropy/seed1')


def test_a_sweep_runs_nothing_again_that_is_finished(
  finished, data_dir, monkeypatch
):
  config, workdir, _ = finished
  monkeypatch.setattr(loop, '_prepare', None)
  summaries = sweep.run(config, workdir, data_dir=data_dir)
  assert [len(runs) for runs in summaries.values()] == [2, 2]


@pytest.mark.parametrize('index', [-1, 8])
def test_an_index_out_of_range_is_a_sentence(tmp_path, monkeypatch, index):
  config = four_systems.get_config()
  config.seeds = 2
  _set_flags(monkeypatch, config, tmp_path / 'sweep', index=index)
  message = rf'^--index={index} is not in 0\.\.7: the sweep has 8 runs$'
  with pytest.raises(errors.UsageError, match=message):
    sweep.main()
  assert not (tmp_path / 'sweep').exists()


def test_an_index_is_of_all_sweeps_together(tmp_path, monkeypatch):
  one = _sweep()
  made = []
  monkeypatch.setattr(sweep, '_run', lambda run, data_dir: made.extend(run))
  monkeypatch.setattr(sweep, 'FLAGS', types.SimpleNamespace(data_dir=None))
  sweep._run_one({tmp_path / 'a': one, tmp_path / 'b': one}, 6)
  assert [run.workdir for run in made] == [tmp_path / 'b/cross_entropy/seed1']


def test_the_state_of_a_sweep_runs_nothing(
  finished, data_dir, monkeypatch, capsys
):
  config, workdir, _ = finished
  _set_flags(monkeypatch, config, workdir, data_dir)
  monkeypatch.setattr(sweep.FLAGS, 'state', True)
  monkeypatch.setattr(loop, '_prepare', None)
  sweep.main()
  assert f'{workdir}: 4 of 4 runs are finished' in capsys.readouterr().out
  _set_flags(monkeypatch, _sweep(epochs=3), workdir, data_dir)
  monkeypatch.setattr(sweep.FLAGS, 'state', True)
  with pytest.raises(errors.UsageError, match=r'config\.epochs=2, not 3'):
    sweep.main()


def _pretend(some, data_dir):
  """Leaves what a run leaves, as far as a sweep reads it."""
  del data_dir
  measures = {'test_accuracy': 0.9, 'memorised': None, 'detector_auroc': None}
  summary = dict.fromkeys(record.RULES, measures)
  for run in some:
    run.workdir.mkdir(parents=True, exist_ok=True)
    (run.workdir / 'summary.json').write_text(json.dumps(summary))
  return [summary] * len(some)


def _show_and_tell(config, workdir, monkeypatch, capsys, *, isatty):
  """What a sweep of runs that train nothing prints."""
  monkeypatch.setattr(sweep, '_run', _pretend)
  monkeypatch.setattr(sys.stdout, 'isatty', lambda: isatty)
  sweep.run(config, workdir, data_dir=None)
  return capsys.readouterr().out


def test_on_a_terminal_each_run_is_followed_by_the_state_of_all(
  tmp_path, monkeypatch, capsys
):
  config = _sweep()
  shown = _show_and_tell(config, tmp_path, monkeypatch, capsys, isatty=True)
  assert re.findall(r'(\d) of 4 runs are finished', shown) == list('1234')
  assert shown.count(f'{tmp_path}: ') == 4
  first = shown[: shown.index('2 of 4')]
  assert first.count('90.0') == 1
  assert 'mixture_cross_entropy' in first


def test_elsewhere_and_of_what_was_finished_no_state_is_shown(
  tmp_path, monkeypatch, capsys
):
  config = _sweep()
  assert not _show_and_tell(config, tmp_path, monkeypatch, capsys, isatty=False)
  assert not _show_and_tell(config, tmp_path, monkeypatch, capsys, isatty=True)


@pytest.mark.parametrize('nothing', [None, float('nan')])
def test_a_run_that_has_no_test_split_is_described_and_comes_last(nothing):
  measured = {'test_accuracy': 0.5, 'memorised': 0.25}
  without = {'test_accuracy': nothing, 'memorised': nothing}
  one = {'last': measured, 'best_validation': measured}
  other = {'last': without, 'best_validation': without}
  assert sweep._describe(one) == (
    'test accuracy 50.0% in the last epoch, 50.0% in the best by noisy '
    'validation, 25.0% of the wrong labels memorised'
  )
  assert sweep._describe(other) == (
    'test accuracy - in the last epoch, - in the best by noisy validation'
  )
  runs = {'other': [other], 'one': [one]}
  assert list(table.ranked(runs, 'last')) == ['one', 'other']


def test_one_run_has_no_index(tmp_path, monkeypatch):
  _set_flags(monkeypatch, common.get_config(), tmp_path / 'run', index=0)
  with pytest.raises(errors.UsageError, match=r'^--index chooses'):
    main.main()
  assert not (tmp_path / 'run').exists()


def test_one_run_has_no_state_of_a_sweep(tmp_path, monkeypatch):
  _set_flags(monkeypatch, common.get_config(), tmp_path / 'run')
  monkeypatch.setattr(main.FLAGS, 'state', True)
  with pytest.raises(errors.UsageError, match=r'^--state is of a sweep'):
    main.main()


def test_a_run_is_not_a_sweep(tmp_path, monkeypatch):
  _set_flags(monkeypatch, common.get_config(), tmp_path / 'run')
  with pytest.raises(errors.UsageError, match=r'python -m experiments\.main'):
    sweep.main()
  assert not (tmp_path / 'run').exists()


def test_one_run_with_seeds_is_a_sweep(tmp_path, monkeypatch):
  _set_flags(monkeypatch, common.get_config(), tmp_path)
  monkeypatch.setattr(sweep.FLAGS, 'seeds', 2)
  ((folder, one),) = sweep._sweeps(sweep.FLAGS.config).items()
  assert [run.workdir for run in sweep.runs(one, folder)] == [
    tmp_path / 'cross_entropy/seed0',
    tmp_path / 'cross_entropy/seed1',
  ]


def test_seeds_and_a_grid_are_of_each_of_several_sweeps(tmp_path, monkeypatch):
  config = ml_collections.ConfigDict({'seeds': 1})
  config.sweeps = {'a': _sweep(), 'b': _sweep()}
  config.lock()
  _set_flags(monkeypatch, config, tmp_path)
  monkeypatch.setattr(sweep.FLAGS, 'seeds', 3)
  monkeypatch.setattr(sweep.FLAGS, 'grid', ['batch_size=32,64'])
  sweeps = sweep._sweeps(config)
  assert list(sweeps) == [tmp_path / 'a', tmp_path / 'b']
  for folder, one in sweeps.items():
    assert len(sweep.runs(one, folder)) == 2 * 2 * 3


def test_every_loss_is_in_the_sweep_of_all():
  config = all_losses.get_config('0.5')
  assert config.base.noise.rate == 0.5
  assert list(config.systems)[:4] == list(four_systems.get_config().systems)
  named = {system['loss']['name'] for system in config.systems.values()}
  assert named == set(loss_fields.names())
  for fields in config.systems.values():
    run = build.one_config(config, fields, 1)
    named_losses.make(run.loss, named_losses.facts(np.eye(10), np.eye(10)))


def test_four_systems_are_told_the_rate_that_they_face():
  config = four_systems.get_config('0.45')
  assert config.base.noise.rate == 0.45
  assert config.systems.mixture_cross_entropy.loss.noise_rate == pytest.approx(
    0.5
  )
  assert isinstance(common.get_config(), ml_collections.ConfigDict)
