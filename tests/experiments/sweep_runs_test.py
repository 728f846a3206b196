"""The runs of a sweep, and what is made of them."""

import html.parser
import json
import pathlib
import re
import shutil
import sys

import pytest

from experiments import errors
from experiments import groups
from experiments import loop
from experiments import record
from experiments import report_page
from experiments import sweep_runs
from experiments import table
from tests.experiments import small_sweep


@pytest.fixture(scope='module')
def finished(tmp_path_factory, data_dir):
  workdir = tmp_path_factory.mktemp('sweep')
  config = small_sweep.config()
  summaries, failed = sweep_runs.run(config, workdir, data_dir=data_dir)
  assert not failed
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


def test_the_report_says_parameters_of_several_numbers(finished):
  config, workdir, summaries = finished
  config = config.copy_and_resolve_references()
  config.systems['cross_entropy'] = {
    'loss': {
      'name': 'generalized_jensen_shannon',
      'weights': (0.3, 0.35, 0.35),
    }
  }
  compared = groups.of_sweep(workdir, config, summaries)
  text = report_page.write(workdir, compared).read_text()
  assert 'weights=(0.3, 0.35, 0.35)' in text


def test_runs_are_numbered_as_they_are_run():
  config = small_sweep.config()
  numbered = sweep_runs.runs(config, pathlib.Path('runs'))
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
  summaries, _ = sweep_runs.run(config, workdir, data_dir=data_dir)
  assert [len(runs) for runs in summaries.values()] == [2, 2]


def test_the_state_of_a_sweep_runs_nothing(finished, monkeypatch, capsys):
  config, workdir, _ = finished
  monkeypatch.setattr(loop, '_prepare', None)
  sweep_runs.show_state(sweep_runs.runs(config, workdir), workdir)
  assert f'{workdir}: 4 of 4 runs are finished' in capsys.readouterr().out
  others = sweep_runs.runs(small_sweep.config(epochs=3), workdir)
  with pytest.raises(errors.UsageError, match=r'config\.epochs=2, not 3'):
    sweep_runs.show_state(others, workdir)


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
  monkeypatch.setattr(sweep_runs, 'run_some', _pretend)
  monkeypatch.setattr(sys.stdout, 'isatty', lambda: isatty)
  sweep_runs.run(config, workdir, data_dir=None)
  return capsys.readouterr().out


def test_on_a_terminal_each_run_is_followed_by_the_state_of_all(
  tmp_path, monkeypatch, capsys
):
  config = small_sweep.config()
  shown = _show_and_tell(config, tmp_path, monkeypatch, capsys, isatty=True)
  assert re.findall(r'(\d) of 4 runs are finished', shown) == list('1234')
  assert shown.count(f'{tmp_path}: ') == 4
  first = shown[: shown.index('2 of 4')]
  assert first.count('90.0') == 1
  assert 'mixture_cross_entropy' in first


def test_elsewhere_and_of_what_was_finished_no_state_is_shown(
  tmp_path, monkeypatch, capsys
):
  config = small_sweep.config()
  assert not _show_and_tell(config, tmp_path, monkeypatch, capsys, isatty=False)
  assert not _show_and_tell(config, tmp_path, monkeypatch, capsys, isatty=True)


@pytest.mark.parametrize('nothing', [None, float('nan')])
def test_a_run_that_has_no_test_split_is_described_and_comes_last(nothing):
  measured = {'test_accuracy': 0.5, 'memorised': 0.25}
  without = {'test_accuracy': nothing, 'memorised': nothing}
  one = {'last': measured, 'best_validation': measured}
  other = {'last': without, 'best_validation': without}
  assert sweep_runs._describe(one) == (
    'test accuracy 50.0% in the last epoch, 50.0% in the best by noisy '
    'validation, 25.0% of the wrong labels memorised'
  )
  assert sweep_runs._describe(other) == (
    'test accuracy - in the last epoch, - in the best by noisy validation'
  )
  runs = {'other': [other], 'one': [one]}
  assert list(table.ranked(runs, 'last')) == ['one', 'other']


@pytest.mark.parametrize('together', [1, 2])
def test_a_run_that_fails_stops_no_other(
  tmp_path, monkeypatch, capsys, together
):
  def run_some(some, data_dir):
    for run in some:
      if run.system == 'cross_entropy' and run.config.seed == 0:
        raise errors.RunError('the loss at step 3 is not finite')
    return _pretend(some, data_dir)

  monkeypatch.setattr(sweep_runs, 'run_some', run_some)
  config = small_sweep.config()
  summaries, failed = sweep_runs.run(
    config, tmp_path, data_dir=None, together=together
  )
  assert failed == [tmp_path / 'cross_entropy/seed0']
  assert 'seed0 failed: the loss at step 3' in capsys.readouterr().err
  assert {name: len(runs) for name, runs in summaries.items()} == {
    'cross_entropy': 1,
    'mixture_cross_entropy': 2,
  }
  compared = groups.of_sweep(tmp_path, config, summaries)
  assert compared['cross_entropy'].seeds == [1]
  assert compared['cross_entropy'].folders == [tmp_path / 'cross_entropy/seed1']


def test_a_run_that_its_data_forbid_stops_no_other(
  tmp_path, data_dir, monkeypatch, capsys
):
  config = small_sweep.config()
  config.seeds = 1
  config.systems = {
    'first': {},
    'much': {'batch_size': 5000},
    'last': {},
  }
  run_some = sweep_runs.run_some

  def run_wrong(some, data_dir):
    wrong = some[0].config.batch_size == 5000
    return (run_some if wrong else _pretend)(some, data_dir)

  monkeypatch.setattr(sweep_runs, 'run_some', run_wrong)
  summaries, failed = sweep_runs.run(config, tmp_path, data_dir=data_dir)
  assert list(summaries) == ['first', 'last']
  assert failed == [tmp_path / 'much/seed0']
  assert 'batch_size=5000 is more than' in capsys.readouterr().err

  # Nor if the first fails, for another reason.
  def run_some_or_fail(some, data_dir):
    if some[0].system == 'first':
      raise errors.RunError('the loss at step 3 is not finite')
    return run_wrong(some, data_dir)

  monkeypatch.setattr(sweep_runs, 'run_some', run_some_or_fail)
  config.systems = {'first': {}, 'last': {}, 'much': {'batch_size': 5000}}
  summaries, failed = sweep_runs.run(
    config, tmp_path / 'another', data_dir=data_dir
  )
  assert list(summaries) == ['last']
  assert [path.parent.name for path in failed] == ['first', 'much']
  monkeypatch.setattr(sweep_runs, 'run_some', run_wrong)
  # But what is wrong with the first is wrong with all, for all one knows.
  config.systems = {'first': {'batch_size': 5000}, 'last': {}}
  with pytest.raises(errors.UsageError, match='batch_size=5000'):
    sweep_runs.run(config, tmp_path / 'other', data_dir=data_dir)


def test_a_sweep_takes_no_directory_of_a_run(finished, tmp_path, data_dir):
  config, workdir, _ = finished
  own = workdir / 'cross_entropy/seed0'
  with pytest.raises(errors.UsageError, match='holds a run, and not a sweep'):
    sweep_runs.run(config, own, data_dir=data_dir)
  # All directories are looked at before anything is trained.
  other = small_sweep.config(epochs=3)
  (tmp_path / 'mixture_cross_entropy').mkdir()
  shutil.copytree(
    workdir / 'mixture_cross_entropy/seed1',
    tmp_path / 'mixture_cross_entropy/seed1',
  )
  with pytest.raises(errors.UsageError, match=r'config\.epochs=2, not 3'):
    sweep_runs.run(other, tmp_path, data_dir=data_dir)
  assert not (tmp_path / 'cross_entropy').exists()


@pytest.mark.parametrize(
  ('system', 'message'),
  [
    ({'loss': {'name': 'mean_absolute_eror'}}, 'did you mean mean_absolute'),
    ({'loss': {'name': 'clipped_cross_entropy'}}, r'max_loss=NUMBER'),
    ({'method': {'name': 'co_teachin'}}, 'did you mean co_teaching'),
    ({'method': {'name': 'meta_weight_net'}}, r'config\.num_trusted'),
    ({'model': {'name': 'cnn44'}}, 'did you mean cnn4'),
    ({'optimizer': {'name': 'adem'}}, 'did you mean adam'),
    ({'noise': {'name': 'symetric'}}, 'did you mean symmetric'),
    ({'noise': {'rate': 1.2}}, r'rate must be in \[0, 1\]'),
    ({'noise': {'kind': 7}}, 'kind must be 1, 2 or 3'),
    ({'noise': {'class_map': 'mnst'}}, 'did you mean mnist'),
    ({'ema_decay': 1.5}, 'ema_decay'),
    ({'folds': 2, 'method': {'name': 'truncated_pruning'}}, 'single examples'),
    (
      {
        'noise': {'name': 'part_dependent'},
        'loss': {'name': 'forward_corrected_cross_entropy'},
      },
      r'config\.noise_estimate',
    ),
  ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_trained(
  system, message
):
  config = small_sweep.config()
  config.systems['other'] = system
  with pytest.raises(errors.UsageError, match=message):
    sweep_runs.runs(config, pathlib.Path('runs'))
