"""What the losses are measured against computes the same losses."""

import argparse
import functools

import jax
import numpy as np
import pytest

from experiments.bench import comparison
from experiments.bench import detection as detection_program
from experiments.bench import detection_curves
from experiments.bench import detection_tasks
from experiments.bench import estimation as estimation_program
from experiments.bench import estimators as estimators_program
from experiments.bench import formulas
from experiments.bench import fused
from experiments.bench import interval
from experiments.bench import losses as program
from experiments.bench import methods as methods_program
from experiments.bench import parameters
from experiments.bench import together as together_program
from noisy_labels import losses
from noisy_labels import methods

BATCH, K = 16, 10
KNOWN = [name for name in losses.PER_EXAMPLE if formulas.known(name)]


def bound_loss(name):
  return functools.partial(getattr(losses, name), **parameters.of(name, K))


@pytest.fixture
def arrays():
  logits = 2 * jax.random.normal(jax.random.key(0), (BATCH, K))
  return logits, jax.random.randint(jax.random.key(1), (BATCH,), 0, K)


def value_and_grad(loss, logits, labels):
  return jax.jit(jax.value_and_grad(lambda z: loss(z, labels).mean()))(logits)


def test_every_loss_has_parameters():
  assert set(parameters.ENTRIES) >= set(losses.PER_EXAMPLE)


@pytest.mark.parametrize(
  'name', [pytest.param(name, marks=pytest.mark.slow) for name in KNOWN]
)
def test_naive_formula(name, arrays):
  naive = functools.partial(comparison.naive(name), **parameters.of(name, K))
  got = value_and_grad(naive, *arrays)
  want = value_and_grad(bound_loss(name), *arrays)
  for left, right in zip(got, want, strict=True):
    np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('name', KNOWN)
def test_torch_form(name, arrays):
  pytest.importorskip('torch')
  from experiments.bench import torch_forms

  form = torch_forms.value_and_grad(name, parameters.of(name, K), *arrays)
  want = value_and_grad(bound_loss(name), *arrays)
  for left, right in zip(form(), want, strict=True):
    np.testing.assert_allclose(left.numpy(), right, rtol=1e-4, atol=1e-6)


def test_tables(capsys, tmp_path):
  output = tmp_path / 'table.txt'
  program.main([
    *('--losses', 'mixture_cross_entropy,cross_entropy', '--shape', '8x4'),
    *('--seconds', '0', '--output', str(output)),
  ])  # fmt: skip
  printed = capsys.readouterr()
  assert 'about 0 min' in printed.err
  assert output.read_text() == printed.out
  rows = [line for line in printed.out.splitlines() if 'cross_ent' in line]
  of_dtype = ['mixture_cross_entropy', 'cross_entropy']
  assert [row.split()[0] for row in rows[-4:]] == 2 * of_dtype
  assert all(len(line) <= 80 for line in printed.out.splitlines())


def test_a_loss_without_parameters_is_an_error(monkeypatch, capsys):
  monkeypatch.delitem(parameters.ENTRIES, 'cross_entropy')
  with pytest.raises(SystemExit):
    program.main(['--shape', '8x4'])
  assert 'no entry for cross_entropy' in capsys.readouterr().err
  with pytest.raises(SystemExit):
    program.main(['--losses', 'no_loss'])
  assert 'not in losses.PER_EXAMPLE: no_loss' in capsys.readouterr().err


def test_memory_of_the_fused_head(capsys):
  fused.main([
    *('--batch', '64', '--dim', '8', '--classes', '1000'),
    *('--block-size', '100'),
  ])  # fmt: skip
  assert 'blocks of 100' in capsys.readouterr().out


@pytest.mark.parametrize('tool', estimation_program.TOOLS)
def test_estimation_is_measured(tool):
  first, best, added = estimation_program.measure(tool, (60, 3), calls=1)
  assert first > 0
  assert best > 0
  assert added >= 0


def test_steps_of_methods_are_measured(capsys):
  arguments = '--model=mlp --batch=4 --examples=8 --seconds=0'.split()
  names = '--methods=stateless,early_learning_regularization'
  methods_program.main([*arguments, names])
  *_, plain, elr, baseline = capsys.readouterr().out.splitlines()
  assert plain.split()[0] == 'stateless'
  assert plain.split()[-2:] == ['0', '0']
  assert elr.split()[-2:] == ['40', '0']
  assert 'ms a step' in baseline


def test_every_method_can_be_measured(capsys):
  names = {*methods.METHODS, *methods.LIFTS, *methods.WRAPPERS}
  assert names <= methods_program.entries('cnn8').keys()
  with pytest.raises(SystemExit):
    methods_program.main(['--methods', 'no_method'])
  assert 'no method: no_method' in capsys.readouterr().err


def test_seeds_together_are_measured(capsys, data_dir):
  together_program.main([
    *('--models=mlp', '--seeds=2', '--seconds=0', f'--data_dir={data_dir}'),
  ])  # fmt: skip
  *_, row = capsys.readouterr().out.splitlines()
  name, apart, at_once, ratio = row.split()
  assert name == 'mlp'
  assert float(apart) > 0
  assert float(at_once) > 0
  assert float(ratio) > 0


@pytest.mark.parametrize('name', estimators_program.NAMES)
def test_estimators_are_measured(name):
  first, second, added = estimators_program.measure(name, (60, 3))
  assert first > 0
  assert second > 0
  assert added >= 0


@pytest.mark.parametrize(
  ('tool', 'tasks'),
  [
    ('cleanlab', detection_tasks.TASKS),
    ('numpy', (*detection_tasks.FILTERS, *detection_tasks.SCORES)),
    ('jax', ('self_confidence',)),
  ],
)
def test_detection_is_measured(tool, tasks):
  options = argparse.Namespace(calls=1, seconds=300, clock='processor')
  results = dict(detection_program.measure(tool, (60, 3), tasks, options))
  assert tuple(results) == tasks
  for first, best, added in results.values():
    assert min(first, best, added) >= 0


def test_tasks_are_the_same_of_both_tools():
  labels, probs = estimation_program.problem(300, 5)
  for task in detection_tasks.TASKS[:-1]:
    ours, theirs = (
      np.asarray(detection_tasks.function(tool, task)(labels, probs))
      for tool in ('numpy', 'cleanlab')
    )
    if task in detection_tasks.SCORES:
      np.testing.assert_allclose(ours, 1 - theirs, atol=1e-4)
    else:
      np.testing.assert_array_equal(ours, theirs)


def test_a_row_names_what_is_not_fast_enough():
  results = {
    'cleanlab': (9.0, 8.0, 10.0),
    'default': 'time',
    'numpy': (3.0, 1.0, 0.0),
    'jax': (900.0, 4.0, 2.0),
  }
  line = detection_program.row('both', results)
  assert line.split() == ('both 8.0 time 1.0 4.0 900 8.0 2.0* 10 0 2'.split())
  results['cleanlab'] = 'memory'
  assert detection_program.row('both', results).split()[1] == 'memory'


def test_curves_are_measured_once_and_drawn(tmp_path, monkeypatch):
  lines = {10: [(20, 3), (60, 3)]}
  for name in ('LINES', 'BY_EXAMPLES', 'BY_CLASSES'):
    monkeypatch.setattr(detection_curves, name, lines)
  measured = []

  def measure(tool, shape, options):
    measured.append((tool, shape))
    return (2.0, 1.0, 9.0) if shape[0] < 60 or tool == 'numpy' else ('',) * 3

  monkeypatch.setattr(detection_curves, '_in_a_process', measure)
  for _ in range(2):
    detection_curves.main([f'--out={tmp_path}'])
  assert len(measured) == 4
  rows = detection_curves.read(tmp_path / 'curves.csv')
  assert [row['processor_ms'] for row in rows] == ['1.0', '1.0', '', '1.0']
  assert '<svg' in (tmp_path / 'curves.svg').read_text()
  assert (tmp_path / 'curves.png').stat().st_size > 10_000


def test_a_cell_of_the_curves_has_two_clocks_and_memory():
  wall, processor, added = detection_curves.measure('numpy', (60, 3), 1)
  assert wall > 0
  assert processor > 0
  assert added >= 0


def test_intervals_are_compared(tmp_path, capsys):
  options = argparse.Namespace(samples=8, bootstraps=3, resamples=20)
  case = (400, 3, 2.0, 1.0, 0.5)
  cells = interval.line(case, options).strip('| ').split(' | ')
  assert len(cells) == 14
  ours, theirs, fixed = (float(cells[place]) for place in (7, 10, 13))
  assert 0.6 < ours / theirs < 1.6
  assert 0.6 < ours / fixed < 1.6
  labels, probs = interval.sample(np.random.default_rng(0), *case)
  path = tmp_path / 'predictions.npz'
  np.savez(path, label=labels, log_probs=np.log(probs))
  interval.main([f'--predictions={path}', '--resamples=20'])
  assert 'bootstrap: ' in capsys.readouterr().out
