"""Any finished runs, found by their directories, as tables and a page."""

import csv
import json
import re
import shutil

from matplotlib.backends import backend_agg
import numpy as np
import pytest

from experiments import errors
from experiments import groups
from experiments import record
from experiments import report
from experiments import report_page
from experiments import result_figures
from experiments import table
from experiments import table_files
from experiments.configs import common
from tests.experiments import programs


def _fake(workdir, accuracy, *, measured=2, **fields):
  """What a finished run leaves, as far as reports read it."""
  config = common.get_config()
  config.update_from_flattened_dict(fields)
  record.claim_workdir(workdir, config)
  lines = [
    {
      'epoch': epoch,
      'step': 10 * epoch,
      'validation_accuracy': accuracy / 2,
      'test_accuracy': accuracy - 0.1 * (epoch == 2),
      'memorised': 0.5,
      'detector_auroc': None,
    }
    for epoch in range(1, measured + 1)
  ]
  text = ''.join(json.dumps(line) + '\n' for line in lines)
  (workdir / 'metrics.jsonl').write_text(text)
  counts = np.full((10, 10), 3) + 70 * np.eye(10, dtype=int)
  summary = {
    **record.select(lines),
    'noise_rate': 0.27,
    'noise_counts': (counts * (1 + config.seed)).tolist(),
    'class_names': [str(i) for i in range(10)],
    'transition': None,
    'noise_estimate': None,
  }
  (workdir / 'summary.json').write_text(json.dumps(summary))
  return workdir


@pytest.fixture
def runs(tmp_path):
  """Two groups, in one of which a seed is missing; one run is not finished."""
  folder = tmp_path / 'runs'
  for seed in (0, 1, 4):
    _fake(folder / f'plain/{seed}', 0.7 + 0.1 * (seed > 0), seed=seed)
  for seed in (0, 1):
    _fake(
      folder / f'mixture/{seed}',
      0.9,
      seed=seed,
      **{'loss.name': 'mixture_cross_entropy', 'loss.noise_rate': 0.3},
    )
  begun = _fake(folder / 'mixture/2', 0.9, seed=2)
  (begun / 'summary.json').unlink()
  # The folds of an estimate are no run to compare.
  _fake(folder / 'plain/0/noise_estimate/folds', 0.1)
  return folder


def test_runs_are_grouped_by_all_but_the_seed(runs):
  found, unfinished = groups.find([str(runs)])
  assert sorted(found) == ['cross_entropy', 'mixture_cross_entropy']
  assert found['cross_entropy'].seeds == [0, 1, 4]
  assert found['mixture_cross_entropy'].seeds == [0, 1]
  assert unfinished == [runs / 'mixture/2']
  folders = [folder for group in found.values() for folder in group.folders]
  assert sorted(folders) == [
    *(runs / f'mixture/{seed}' for seed in (0, 1)),
    *(runs / f'plain/{seed}' for seed in (0, 1, 4)),
  ]
  for group in found.values():
    assert len(group.summaries) == len(group.seeds)
  assert groups.title(found) == (
    'digits, symmetric noise at 30% (excluding the true class), 27.0% of the '
    'labels wrong, 2 to 3 seeds'
  )


@pytest.mark.parametrize(
  'patterns',
  [['plain/*', 'mixture'], ['plain', 'plain/1', '*'], ['*/0', '*/1', '*/4']],
)
def test_directories_may_be_named_in_any_way_and_count_once(runs, patterns):
  found, _ = groups.find([str(runs / pattern) for pattern in patterns])
  assert {name: group.seeds for name, group in found.items()} == {
    'cross_entropy': [0, 1, 4],
    'mixture_cross_entropy': [0, 1],
  }


def test_names_tell_groups_apart(tmp_path):
  rates = {'loss.name': 'mixture_cross_entropy', 'loss.noise_rate': 0.2}
  _fake(tmp_path / 'a', 0.5, **rates)
  _fake(tmp_path / 'b', 0.5, **{**rates, 'loss.noise_rate': 0.4})
  _fake(tmp_path / 'c', 0.5)
  found, _ = groups.find([str(tmp_path)])
  assert list(found) == [
    'mixture_cross_entropy, loss.noise_rate=0.2',
    'mixture_cross_entropy, loss.noise_rate=0.4',
    'cross_entropy',
  ]
  # What changes nothing makes no other group, and no longer name.
  _fake(
    tmp_path / 'c1', 0.5, seed=1, checkpoint_every=3, **{'estimation.folds': 3}
  )
  found, _ = groups.find([str(tmp_path / 'c*')])
  assert list(found) == ['cross_entropy']
  _fake(tmp_path / 'e', 0.5, **{'noise_estimate': 'hoc', 'estimation.folds': 3})
  found, _ = groups.find([str(tmp_path / 'c'), str(tmp_path / 'e')])
  assert list(found) == ['cross_entropy', 'cross_entropy, noise_estimate=hoc']
  _fake(tmp_path / 'd', 0.5, **{'noise.rate': 0.5})
  found, _ = groups.find([str(tmp_path / 'c'), str(tmp_path / 'd')])
  assert list(found) == [
    'cross_entropy, noise.rate=0.3',
    'cross_entropy, noise.rate=0.5',
  ]


def test_a_title_says_how_much_of_the_data_was_used(tmp_path):
  _fake(tmp_path / 'a', 0.5, num_examples=1000)
  found, _ = groups.find([str(tmp_path)])
  assert groups.title(found).startswith(
    '1,000 examples of digits, symmetric noise'
  )


def test_a_directory_whose_name_looks_like_a_pattern(tmp_path):
  _fake(tmp_path / 'own [a]', 0.5)
  found, _ = groups.find([str(tmp_path / 'own [a]')])
  assert list(found) == ['cross_entropy']


def test_what_cannot_be_compared_is_said_in_a_sentence(runs, tmp_path):
  def refused(*patterns, match):
    with pytest.raises(errors.UsageError, match=match):
      groups.find([str(pattern) for pattern in patterns])

  refused(tmp_path / 'nowhere', match='no run is there')
  refused(runs / 'x*', match='no run is there')
  refused(runs / 'mixture/2', match='no run there is finished')
  shutil.copytree(runs / 'plain/1', runs / 'copy')
  refused(runs, match='same run')
  (runs / 'copy/config.json').write_text('[1]')
  refused(runs, match='is not of a run')
  with pytest.raises(errors.UsageError, match='best_validation'):
    report.report([str(runs / 'plain')], tmp_path, 'best_validatoin')
  (tmp_path / 'file').write_text('')
  with pytest.raises(errors.RunError, match='cannot be written'):
    report.report([str(runs / 'plain')], tmp_path / 'file/out')


def test_a_program_writes_three_tables_and_a_page(runs, tmp_path):
  output = tmp_path / 'out'
  out, err = programs.run(
    'experiments.report',
    f'--workdirs={runs}/plain,{runs}/mix*',
    f'--output={output}',
    '--sort=last',
  )
  assert f'{runs}/mixture/2 is not finished' in err
  for name in ('table.md', 'table.tex', 'table.csv', 'report.html'):
    assert str(output / name) in out
    assert (output / name).stat().st_size > 200
  with (output / 'table.csv').open() as file:
    best, plain = csv.DictReader(file)
  assert best['name'] == 'mixture_cross_entropy'
  assert (best['seeds'], plain['seeds']) == ('2', '3')
  # 0.6, 0.7 and 0.7; the best epoch, a tenth more, is that of both rules.
  assert float(plain['last_test_accuracy_mean']) == pytest.approx(200 / 3)
  assert float(plain['last_test_accuracy_std']) == pytest.approx(10 / 3**0.5)
  for rule in ('best_test', 'best_validation'):
    assert float(plain[f'{rule}_test_accuracy_mean']) == pytest.approx(230 / 3)
  assert plain['last_detector_auroc_mean'] == ''
  page = (output / 'report.html').read_text()
  assert page.count('<svg') == 4
  assert '<script' not in page
  assert not re.findall(r'(src|href)="(?!#|data:)', page)
  assert 'seeds 0, 1, 4' in page
  assert '66.7 ± 5.8' in page


def test_every_noise_is_drawn_once(tmp_path):
  for seed in (0, 1):
    for name in ('cross_entropy', 'mean_absolute_error'):
      folder = tmp_path / f'{name}{seed}'
      fields = {'noise.rate': 0.3 + 0.1 * seed, 'loss.name': name}
      _fake(folder, 0.5, seed=seed, **fields)
  found, _ = groups.find([str(tmp_path)])
  page = report_page.write(tmp_path, found).read_text()
  assert page.count('The labels given with seed') == 2


def test_seeds_may_end_early(tmp_path, monkeypatch):
  fields = {'early_stopping_epochs': 1, 'epochs': 5}
  for seed, measured in enumerate((3, 5, 2)):
    folder = tmp_path / f'runs/{seed}'
    _fake(folder, 0.7 + 0.1 * seed, measured=measured, seed=seed, **fields)
  drawn = []
  draw = report_page.figures.svg
  monkeypatch.setattr(
    report_page.figures,
    'svg',
    lambda figure: drawn.append(figure) or draw(figure),
  )
  report.report([str(tmp_path / 'runs')], tmp_path / 'out', 'last')
  assert (tmp_path / 'out/report.html').read_text().count('<svg') == 4
  (line,) = drawn[0].axes[0].lines
  np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4, 5])
  # In epoch 2 each is a tenth worse; the third ends there, and the first next.
  np.testing.assert_allclose(line.get_ydata(), [0.8, 0.7, 0.75, 0.8, 0.8])


NAME = 'a_b|c & <script> 50% $x^2$ \\ {#}~*'
SUMMARY = {
  rule: {
    'test_accuracy': 0.5,
    'memorised': None,
    'detector_auroc': 0.75,
  }
  for rule in record.RULES
}


def test_markdown_escapes_names():
  text = table_files.markdown({NAME: [SUMMARY]}, 'a <b>\ntitle')
  lines = text.splitlines()
  assert lines[0] == r'a \<b\> title.  '
  bars = [len(re.findall(r'(?<!\\)\|', line)) for line in lines[3:]]
  assert bars == [len(table.COLUMNS) + 3] * 3
  assert r'a\_b\|c \& \<script\> 50% $x^2$ \\ {\#}\~\*' in lines[-1]
  assert lines[-1].endswith('| 1 | 50.0 | 50.0 | 50.0 | - | 75.0 |')


def test_latex_escapes_names():
  text = table_files.latex({NAME: [SUMMARY] * 2}, '50%\ntitle')
  rows = [line for line in text.splitlines() if line.endswith(r'\\')]
  assert rows[-1].strip() == (
    r'a\_b|c \& \textless{}script\textgreater{} 50\% '
    r'\$x\textasciicircum{}2\$ \textbackslash{} \{\#\}\textasciitilde{}* & 2 & '
    r'$50.0 \pm 0.0$ & $50.0 \pm 0.0$ & $50.0 \pm 0.0$ & -- & $75.0 \pm 0.0$ \\'
  )
  # As many columns in each row, the heads that span several counted so.
  number = len(table.COLUMNS) + 2
  assert rf'\begin{{tabular}}{{l{"r" * (number - 1)}}}' in text
  for row in rows:
    spans = [int(n) - 1 for n in re.findall(r'multicolumn\{(\d+)\}', row)]
    assert len(re.findall(r'(?<!\\)&', row)) + sum(spans) == number - 1
  assert [r'\toprule', r'\midrule', r'\bottomrule'] == re.findall(
    r'\\\w+rule(?=\n)', text
  )
  assert r'\cmidrule(lr){3-5}' in text
  assert all(line.startswith('%') for line in text.splitlines()[:2])


def test_all_have_curves_ten_in_a_figure(tmp_path):
  for number in range(12):
    fields = {'optimizer.learning_rate': 0.01 * (number + 1)}
    _fake(tmp_path / f'{number:02}', 0.5, **fields)
  found, _ = groups.find([str(tmp_path)])
  text = report_page.write(tmp_path, found).read_text()
  # Of each: accuracy, what was memorised, and trust weights.
  figures = [part.split('</svg>')[0] for part in text.split('<svg')[1:]]
  for name in found:
    title = f'<!-- {name.replace("_", " ")} -->'
    assert sum(title in svg for svg in figures) == 3, name
  assert '10 at a time' in text


@pytest.mark.parametrize('length', [5, 40, 75])
def test_names_have_room_in_a_figure(length):
  curves = {
    f'{letter * length}': [
      [{'epoch': 1, 'test_accuracy': 0.5}, {'epoch': 2, 'test_accuracy': 0.6}]
    ]
    for letter in 'abcd'
  }
  figure = result_figures.draw_curves(curves, 'test_accuracy', 'accuracy')
  (legend,) = figure.legends
  assert len(legend.get_texts()) == 4
  canvas = backend_agg.FigureCanvasAgg(figure)
  canvas.draw()
  extent = legend.get_window_extent(canvas.get_renderer())
  assert 0 <= extent.x0 < extent.x1 <= figure.bbox.width
