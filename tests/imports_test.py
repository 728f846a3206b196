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
PROGRAM = """
import json, sys
import chex, jax, numpy, optax  # chex and optax import absl by themselves.
before = set(sys.modules)
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.mark.parametrize('module', MODULES)
def test_the_library_adds_nothing_heavy_to_its_dependencies(module):
  out = subprocess.run(
    [sys.executable, '-c', PROGRAM.format(module=module)],
    check=True,
    capture_output=True,
    text=True,
  ).stdout
  added = json.loads(out)
  assert module in added
  assert not {name.split('.')[0] for name in added} & set(HEAVY)


@pytest.mark.parametrize('module', MODULES)
def test_not_even_its_dependencies_import_what_is_heavy(module):
  program = f'import sys, json, {module}; print(json.dumps(list(sys.modules)))'
  out = subprocess.run(
    [sys.executable, '-c', program],
    check=True,
    capture_output=True,
    text=True,
  ).stdout
  loaded = {name.split('.')[0] for name in json.loads(out)}
  assert not loaded & (set(HEAVY) - {'absl'})
