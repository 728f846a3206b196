"""Whole runs: on any devices the same, killed and resumed as never stopped."""

import functools
import json
import math
import os
import signal
import time

import jax
import ml_collections
import numpy as np
import pytest

from experiments import devices
from experiments import errors
from experiments import interrupt
from experiments import log
from experiments import loop
from experiments import training
from experiments.configs import common
from tests.experiments import programs
from tests.experiments import saved

SMALL = {
  'model.name': 'mlp',
  'loss.name': 'mixture_cross_entropy',
  'loss.noise_rate': 1 / 3,
  'augment.crop_padding': 1,
  'ema_decay': 0.9,
  'epochs': 4,
  'checkpoint_every': 1,
}
REMEMBERING = {
  **{k: v for k, v in SMALL.items() if not k.startswith('loss.')},
  'method.name': 'early_learning_regularization',
  'method.beta': 0.7,
  'method.weight': 3.0,
}
MAIN = 'experiments.main'


def _config(fields=SMALL, **changes):
  config = common.get_config()
  config.update_from_flattened_dict({**fields, **changes})
  return config


def _flags(workdir, data_dir, fields=SMALL):
  return [
    f'--workdir={workdir}',
    f'--data_dir={data_dir}',
    *(f'--config.{k}={v}' for k, v in fields.items()),
  ]


@pytest.fixture(scope='module')
def reference(tmp_path_factory, data_dir):
  """A run on one device that nothing disturbs."""
  workdir = tmp_path_factory.mktemp('reference')
  programs.run(MAIN, *_flags(workdir, data_dir))
  return workdir


def test_a_run_leaves_what_reproduces_and_explains_it(reference):
  summary = json.loads((reference / 'summary.json').read_text())
  config = json.loads((reference / 'config.json').read_text())
  assert config['loss']['noise_rate'] == SMALL['loss.noise_rate']
  assert 'jax' in (reference / 'environment.txt').read_text()
  assert list((reference / 'tensorboard').glob('events*'))
  lines = log.read(reference / 'metrics.jsonl')
  assert [line['epoch'] for line in lines] == [1, 2, 3, 4]
  assert summary['last'] == lines[-1]
  for rule, measure in (
    ('best_validation', 'validation_accuracy'),
    ('best_test', 'test_accuracy'),
  ):
    best = max(line[measure] for line in lines)
    assert summary[rule][measure] == best
  assert summary['noise_rate'] == pytest.approx(0.3, abs=0.03)
  assert lines[-1]['test_accuracy'] > 0.6
  assert 0.5 < lines[-1]['detector_auroc'] <= 1
  assert 0 <= lines[-1]['memorised'] < 0.5


def test_the_saved_config_repeats_the_run(reference, tmp_path, data_dir):
  out, _ = programs.run(
    MAIN,
    f'--config=experiments/configs/saved.py:{reference / "config.json"}',
    f'--workdir={tmp_path / "again"}',
    f'--data_dir={data_dir}',
  )
  assert 'mixture_cross_entropy' in out
  saved.assert_same(reference, tmp_path / 'again')


def test_four_devices_give_the_curve_of_one(reference, tmp_path, data_dir):
  assert jax.local_device_count() == 4
  loop.run(_config(), tmp_path / 'run', data_dir=data_dir)
  programs.assert_close_curves(
    programs.curve(reference), programs.curve(tmp_path / 'run')
  )


@pytest.mark.slow  # So does the cluster that stops, below.
def test_two_processes_of_two_devices_give_it_too(
  reference, tmp_path, data_dir
):
  cluster = programs.start_cluster(
    MAIN,
    *_flags(tmp_path / 'run', data_dir),
    num_processes=2,
    num_devices=2,
  )
  for process in cluster:
    programs.finish(process)
  programs.assert_close_curves(
    programs.curve(reference), programs.curve(tmp_path / 'run')
  )


def test_killed_and_resumed_is_never_stopped(reference, tmp_path, data_dir):
  workdir = tmp_path / 'run'
  for lines, signal_number in enumerate((signal.SIGTERM, signal.SIGKILL), 1):
    process = programs.start(MAIN, *_flags(workdir, data_dir))
    deadline = time.monotonic() + 120
    while len(log.read(workdir / 'metrics.jsonl')) < lines:
      assert process.poll() is None, process.communicate()
      assert time.monotonic() < deadline
      time.sleep(0.01)
    process.send_signal(signal_number)
    if signal_number == signal.SIGTERM:
      _, err = programs.finish(process, 143)
      assert 'the same command goes on' in err
    else:
      process.communicate()
    assert len(log.read(workdir / 'metrics.jsonl')) < SMALL['epochs']
  programs.run(MAIN, *_flags(workdir, data_dir))
  saved.assert_same(reference, workdir)


def test_stopped_at_any_step_and_resumed_is_never_stopped(
  tmp_path, data_dir, monkeypatch
):
  # Measured every second epoch, so that half-done sums must be saved too.
  config = _config(eval_every=2, epochs=3)
  run = functools.partial(
    loop.run,
    config,
    data_dir=data_dir,
    local=devices.local(jax.local_devices()[:1]),
  )
  stops = iter([20, 27, 40])
  stop = None
  monkeypatch.setattr(
    interrupt.Watch, 'should_stop', lambda self, step: step == stop
  )
  run(tmp_path / 'never')
  for stop in stops:
    with pytest.raises(errors.StoppedError, match=f'step {stop},'):
      run(tmp_path / 'often')
  stop = None
  run(tmp_path / 'often')
  saved.assert_same(tmp_path / 'never', tmp_path / 'often')


def test_stops_early_when_held_out_accuracy_is_no_better(tmp_path, data_dir):
  # Nothing changes, so the first measurement is the best.
  config = _config(
    **{'epochs': 9, 'optimizer.learning_rate': 0.0},
    early_stopping_epochs=2,
  )
  summary = loop.run(config, tmp_path / 'run', data_dir=data_dir)
  assert summary['last']['epoch'] == 3
  step, _ = saved.last(tmp_path / 'run')
  assert step == summary['last']['step']
  # Killed when all was saved but the summary, it has nothing to train.
  (tmp_path / 'run/summary.json').unlink()
  assert loop.run(config, tmp_path / 'run', data_dir=data_dir) == summary


def test_a_signal_that_comes_too_late_stops_what_follows(
  tmp_path, data_dir, monkeypatch
):
  def measure(self, *given):
    os.kill(os.getpid(), signal.SIGTERM)
    return before(self, *given)

  before = training.Training._measure
  monkeypatch.setattr(training.Training, '_measure', measure)
  with pytest.raises(errors.StoppedError, match='is finished'):
    loop.run(_config(epochs=1), tmp_path / 'run', data_dir=data_dir)
  assert (tmp_path / 'run/summary.json').exists()


def test_a_signal_while_a_run_fails_stops_what_follows(
  tmp_path, data_dir, monkeypatch
):
  def take_turns(*given):
    del given
    os.kill(os.getpid(), signal.SIGTERM)
    raise errors.RunError('the loss is not finite')

  monkeypatch.setattr(loop, '_take_turns', take_turns)
  with pytest.raises(errors.StoppedError, match='the loss is not finite'):
    loop.run(_config(), tmp_path / 'run', data_dir=data_dir)


@pytest.mark.parametrize(
  ('platform', 'number', 'waits'),
  [('cpu', 1, [0, 1, 2]), ('gpu', 4, [0, 1, 2]), ('cpu', 4, [0, 1, 2, 3, 4])],
)
def test_the_host_is_two_steps_ahead_at_most(
  monkeypatch, platform, number, waits
):
  waited = []
  monkeypatch.setattr(jax, 'default_backend', lambda: platform)
  monkeypatch.setattr(jax, 'device_count', lambda: number)
  monkeypatch.setattr(jax, 'block_until_ready', waited.append)
  for steps in range(1, 6):
    devices.keep_pace(list(range(steps)))
  assert waited == waits


@pytest.mark.parametrize('name', ['config.json', 'summary.json'])
def test_a_damaged_record_is_named(reference, tmp_path, data_dir, name):
  workdir = tmp_path / 'run'
  workdir.mkdir()
  for other in ('config.json', 'summary.json'):
    (workdir / other).write_text((reference / other).read_text())
  (workdir / name).write_text('{"a": ')
  with pytest.raises(errors.RunError, match=f'{name} is damaged'):
    loop.run(_config(), workdir, data_dir=data_dir)


def test_a_workdir_below_a_file_is_refused(tmp_path, data_dir):
  (tmp_path / 'file').write_text('')
  with pytest.raises(errors.UsageError, match='is not a directory'):
    loop.run(_config(), tmp_path / 'file/run', data_dir=data_dir)


def test_a_cluster_stops_as_one_and_goes_on(tmp_path, data_dir):
  alone, workdir = tmp_path / 'alone', tmp_path / 'run'
  config = _config(REMEMBERING)
  loop.run(
    config,
    alone,
    data_dir=data_dir,
    local=devices.local(jax.local_devices()[:1]),
  )
  flags = _flags(workdir, data_dir, REMEMBERING)
  cluster = programs.start_cluster(MAIN, *flags, num_processes=2, num_devices=2)
  deadline = time.monotonic() + 120
  while not log.read(workdir / 'metrics.jsonl'):
    assert all(process.poll() is None for process in cluster)
    assert time.monotonic() < deadline
    time.sleep(0.01)
  cluster[1].send_signal(signal.SIGTERM)
  for process in cluster:
    programs.finish(process, 143)
  # The memory and the state fit another number of processes.
  loop.run(config, workdir, data_dir=data_dir)
  saved.assert_close(alone, workdir, rtol=0.01, atol=0.01)


def test_a_finished_run_is_not_run_again(reference, data_dir):
  before = (reference / 'metrics.jsonl').stat().st_mtime_ns
  summary = loop.run(_config(), reference, data_dir=data_dir)
  assert summary == json.loads((reference / 'summary.json').read_text())
  assert (reference / 'metrics.jsonl').stat().st_mtime_ns == before


def test_a_workdir_belongs_to_its_config(reference, data_dir):
  with pytest.raises(errors.UsageError, match=r'config\.epochs=4, not 5'):
    loop.run(_config(epochs=5), reference, data_dir=data_dir)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, data_dir):
  workdir = tmp_path / 'run'
  config = _config(
    **{
      'optimizer.name': 'sgd',
      'optimizer.learning_rate': 1e38,
      'schedule.name': 'step',
      'schedule.boundaries': (),
      'schedule.warmup_epochs': 40.0,
    }
  )
  with pytest.raises(errors.RunError, match=r'loss at step \d+ is not finite'):
    loop.run(config, workdir, data_dir=data_dir)
  assert not (workdir / 'summary.json').exists()
  for line in log.read(workdir / 'metrics.jsonl'):
    assert math.isfinite(line['train_loss'])


def test_a_checkpoint_is_kept_when_the_loss_explodes(tmp_path, data_dir):
  workdir = tmp_path / 'run'
  # The learning rate explodes after the first epoch.
  config = _config(
    **{
      'optimizer.name': 'sgd',
      'optimizer.learning_rate': 1e-3,
      'schedule.name': 'step',
      'schedule.boundaries': (1,),
      'schedule.factor': 1e38,
    }
  )
  with pytest.raises(errors.RunError, match=r'is kept \(step 20\)'):
    loop.run(config, workdir, data_dir=data_dir)
  step, tree = saved.last(workdir)
  assert step == 20
  assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'batch_size': 6}, r'batch_size=6 does not divide by the 4 devices'),
    ({'batch_size': 4096}, r'more than the 1293 training examples'),
    ({'epochs': 0}, r'config\.epochs=0 is not between 1'),
    ({'validation_fraction': 1e-4}, 'holds out none'),
    ({'augment.cutout': -1}, r'config\.augment\.cutout=-1'),
    ({'image_size': (32, 0)}, r'config\.image_size'),
    ({'optimizer.learning_rate': -1.0}, r'learning_rate=-1\.0'),
    ({'optimizer.max_gradient_norm': -1.0}, r'max_gradient_norm=-1\.0'),
    ({'noise.seed': -1}, r'config\.noise\.seed=-1'),
    ({'model.name': 'resnet81'}, 'did you mean resnet18'),
    ({'loss.name': 'mixture_entropy'}, 'did you mean mixture_cross_entropy'),
    ({'loss.max_loss': 2.0}, 'max_loss is set, but mixture_cross_entropy'),
    ({'loss.noise_rate': 1.0}, r'noise_rate'),
    ({'noise.name': 'symetric'}, 'did you mean symmetric'),
    ({'noise.rate': 1.5}, r'config\.noise'),
    ({'optimizer.name': 'adem'}, 'did you mean adam'),
    ({'schedule.name': 'cosin'}, 'did you mean cosine'),
    ({'ema_decay': 1.0}, 'ema_decay'),
    ({'noise_estimate': 'confident_joynt'}, 'did you mean confident_joint'),
    ({'noise_estimate': 'hoc', 'loss.max_loss': 2.0}, 'max_loss is set'),
    ({'estimation.folds': 1}, r'estimation\.folds=1'),
    (
      {
        'folds': 3,
        'loss.name': 'f_divergence_loss',
        'loss.noise_rate': None,
        'loss.divergence': 'pearson',
      },
      'a loss of single examples, and f_divergence_loss is none',
    ),
  ],
)
def test_what_cannot_be_meant_leaves_nothing_behind(
  tmp_path, data_dir, changes, message
):
  workdir = tmp_path / 'run'
  with pytest.raises(errors.UsageError, match=message):
    loop.run(_config(**changes), workdir, data_dir=data_dir)
  assert not workdir.exists()


def test_missing_hyper_parameter_is_named(tmp_path, data_dir):
  config = ml_collections.ConfigDict(common.get_config().to_dict())
  config.loss.name = 'clipped_cross_entropy'
  with pytest.raises(errors.UsageError, match=r'loss\.max_loss=NUMBER'):
    loop.run(config, tmp_path / 'run', data_dir=data_dir)
