"""The shell scripts, with a Python that only notes what it is asked."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# Answers the version check, and appends every other call to $CALLS.
STUB = """#!/usr/bin/env bash
case "$*" in
  *version_info*) exit {old} ;;
  *'import venv'*) exit {no_venv} ;;
  --version) echo Python 3.11.7 ;;
  '-m pip'*) echo "$*" >> "$CALLS"; exit {no_network} ;;
  *) echo "$*" >> "$CALLS" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
  """Just what the scripts read, so that nothing is made in this checkout."""
  folder = tmp_path / 'checkout'
  shutil.copytree(ROOT / 'scripts', folder / 'scripts')
  shutil.copy(ROOT / 'setup.cfg', folder)
  return folder


def _stub(path, *, old=0, no_venv=0, no_network=0):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(STUB.format(old=old, no_venv=no_venv, no_network=no_network))
  path.chmod(0o755)
  return path


def _run(checkout, *command, **environment):
  keep = {
    name: value
    for name, value in os.environ.items()
    if name not in ('VIRTUAL_ENV', 'CONDA_PREFIX', 'EXTRAS', 'PYTHON')
  }
  calls = checkout.parent / 'calls'
  result = subprocess.run(
    ['bash', *command],
    cwd=checkout.parent,
    env={**keep, 'CALLS': str(calls), **environment},
    capture_output=True,
    text=True,
  )
  return result, calls.read_text().splitlines() if calls.exists() else []


def _one_error(result):
  lines = [
    line for line in result.stderr.splitlines() if line.startswith('error:')
  ]
  assert result.returncode == 1
  assert len(lines) == 1, result.stderr
  return lines[0]


@pytest.mark.parametrize('script', ['run.sh', 'test.sh'])
def test_too_old_a_python(checkout, script):
  old = _stub(checkout.parent / 'python', old=1)
  result, calls = _run(
    checkout, f'{checkout}/scripts/{script}', PYTHON=str(old)
  )
  assert 'Python 3.11 or newer is needed' in _one_error(result)
  assert not calls


def test_no_venv_module(checkout):
  python = _stub(checkout.parent / 'python', no_venv=1)
  result, _ = _run(checkout, f'{checkout}/scripts/run.sh', PYTHON=str(python))
  assert 'no venv module' in _one_error(result)


def test_no_registry_within_reach(checkout):
  prefix = checkout.parent / 'env'
  _stub(prefix / 'bin/python', no_network=1)
  result, calls = _run(
    checkout, f'{checkout}/scripts/run.sh', VIRTUAL_ENV=str(prefix)
  )
  assert 'registry' in _one_error(result)
  assert len(calls) == 1


def test_an_active_environment_that_is_too_old_is_named(checkout):
  prefix = checkout.parent / 'env'
  _stub(prefix / 'bin/python', old=1)
  result, _ = _run(
    checkout, f'{checkout}/scripts/run.sh', VIRTUAL_ENV=str(prefix)
  )
  assert str(prefix) in _one_error(result)


@pytest.mark.parametrize(
  ('arguments', 'program'),
  [
    (
      [],
      '-m experiments.sweep --config=experiments/configs/four_systems.py',
    ),
    (
      ['--workdir=a b'],
      '-m experiments.sweep --config=experiments/configs/four_systems.py'
      ' --workdir=a b',
    ),
    (
      ['--config=c.py', '--config.seed=1'],
      '-m experiments.main --config=c.py --config.seed=1',
    ),
    (['--help'], '-m experiments.main --help'),
  ],
)
def test_run_installs_once_and_passes_its_arguments_on(
  checkout, arguments, program
):
  prefix = checkout.parent / 'env'
  _stub(prefix / 'bin/python')
  command = [f'{checkout}/scripts/run.sh', *arguments]
  for _ in range(2):
    result, calls = _run(checkout, *command, VIRTUAL_ENV=str(prefix))
    assert result.returncode == 0, result.stderr
  assert calls == [
    '-m pip install --editable .[experiments]',
    program,
    program,
  ]


def test_changed_dependencies_are_installed(checkout):
  prefix = checkout.parent / 'env'
  _stub(prefix / 'bin/python')
  command = f'{checkout}/scripts/run.sh'
  _run(checkout, command, VIRTUAL_ENV=str(prefix))
  with (checkout / 'setup.cfg').open('a') as file:
    file.write('# changed\n')
  _, calls = _run(checkout, command, VIRTUAL_ENV=str(prefix), EXTRAS='cuda')
  _, calls = _run(checkout, command, VIRTUAL_ENV=str(prefix))
  installs = [call for call in calls if call.startswith('-m pip')]
  assert installs == [
    '-m pip install --editable .[experiments]',
    '-m pip install --editable .[experiments,cuda]',
    '-m pip install --editable .[experiments]',
  ]


def test_ci_calls_the_test_command():
  assert 'scripts/test.sh' in (ROOT / '.ci/run').read_text()
