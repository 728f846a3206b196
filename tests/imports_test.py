import json
import pkgutil
import subprocess
import sys

import pytest

import noisy_labels

HEAVY = (
  'absl',
  'array_record',
  'experiments',
  'flax',
  'matplotlib',
  'ml_collections',
  'orbax',
  'sklearn',
  'tensorflow',
  'tensorflow_datasets',
)
MODULES = [
  'noisy_labels',
  *(
    module.name
    for module in pkgutil.walk_packages(noisy_labels.__path__, 'noisy_labels.')
    if module.ispkg
  ),
]
PROGRAM = f"""
import json, sys
import chex, jax, numpy, optax  # chex and optax import absl by themselves.
before = set(sys.modules)
import {', '.join(MODULES)}
print(json.dumps([sorted(before), sorted(set(sys.modules) - before)]))
"""


@pytest.fixture(scope='module')
def imported():
  """What the dependencies import, and what the library adds to it."""
  out = subprocess.run(
    [sys.executable, '-c', PROGRAM],
    check=True,
    capture_output=True,
    text=True,
  ).stdout
  return json.loads(out)


def test_the_library_adds_nothing_heavy_to_its_dependencies(imported):
  _, added = imported
  assert {*MODULES} <= {*added}
  assert not {name.split('.')[0] for name in added} & {*HEAVY}


def test_not_even_its_dependencies_import_what_is_heavy(imported):
  before, _ = imported
  loaded = {name.split('.')[0] for name in before}
  assert not loaded & ({*HEAVY} - {'absl'})
