"""The program as a user meets it: help, errors in a line, signals."""

import signal
import time

import pytest

from tests.experiments import programs
from tests.experiments.audit import toy_folder

PROGRAM = 'experiments.audit'


def test_help_begins_with_what_to_type():
  out, err = programs.run(PROGRAM, '--help')
  assert err == ''
  usage, example, *_ = [line for line in out.splitlines() if line.strip()]
  assert usage.startswith('Finds the wrong labels')
  assert example.strip().startswith('python -m experiments.audit --images=')
  for flag in ('--apply', '--detector', '--column', '--config.model.name'):
    assert flag in out


@pytest.mark.parametrize(
  ('flags', 'match'),
  [
    ((), '--workdir is missing'),
    (('--workdir=w', '--images=/nowhere/at/all'), 'does not exist'),
  ],
)
def test_wrong_usage_is_a_line(tmp_path, flags, match):
  flags = [flag.replace('=w', f'={tmp_path / "w"}') for flag in flags]
  _, err = programs.run(PROGRAM, *flags, code=2)
  assert err.startswith('error: ')
  assert match in err
  assert err.count('\n') == 1
  assert not (tmp_path / 'w').exists()


def test_a_signal_stops_it_with_everything_kept(tmp_path):
  toy_folder.make(tmp_path / 'photos')
  process = programs.start(
    PROGRAM,
    f'--images={tmp_path / "photos"}',
    f'--workdir={tmp_path / "w"}',
    '--config.model.name=mlp',
    '--config.epochs=100000',
  )
  deadline = time.monotonic() + 120
  while not (tmp_path / 'w' / 'folds' / 'checkpoints').exists():
    assert process.poll() is None, process.communicate()
    assert time.monotonic() < deadline
    time.sleep(0.05)
  process.send_signal(signal.SIGTERM)
  out, err = programs.finish(process, 143)
  assert '[2/7] Training 5 models' in out
  assert err.splitlines()[-1].startswith('error: stopped at step')
  assert any((tmp_path / 'w' / 'folds' / 'checkpoints').glob('[0-9]*'))
