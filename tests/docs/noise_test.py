"""docs/noise.md has every name, and what it shows runs."""

import pathlib
import re

import numpy as np

from noisy_labels import noise

PAGE = (pathlib.Path(__file__).parents[2] / 'docs' / 'noise.md').read_text()
BLOCKS = re.findall(r'```python\n(.*?)```', PAGE, flags=re.DOTALL)


def test_every_public_name_is_there():
  named = set(re.findall(r'(?<!config\.)\bnoise\.(\w+)', PAGE)) - {'md'}
  assert named == set(noise.__all__)


def test_every_class_map_is_there():
  maps = {
    name
    for name, value in vars(noise.class_maps).items()
    if name.isupper() and all(isinstance(entry, int) for entry in value)
  }
  assert maps == set(re.findall(r'^\| `([A-Z0-9_]+)` \|', PAGE, flags=re.M))


def test_examples_run_and_calls_of_the_tables_too():
  scope = {}
  for block in BLOCKS:
    exec(block, scope)
  rates = {}
  for line in PAGE.splitlines():
    call = re.search(r'\| `(noise\.\w+\(.*\))` \|$', line)
    if call:
      rows = eval(call[1], scope)
      np.testing.assert_allclose(rows.sum(axis=1), 1)
      name = line.split('|')[1].strip()
      if len(rows) == len(rows.T):
        rates[name] = noise.properties(rows).rate
  assert len(rates) == 9
  expected = {
    'symmetric, without the true class': 0.4,
    'symmetric, over all classes': 0.36,
    'pair flip': 0.45,
    'asymmetric': 0.2,
    'asymmetric, flipped twice by mistake': 0.184,
    'random': 0.4,
  }
  found = [rates[name] for name in expected]
  np.testing.assert_allclose(found, list(expected.values()))


def test_what_the_page_says_of_cats():
  transition = noise.asymmetric_on_mutated_array(noise.class_maps.CIFAR10, 0.4)
  np.testing.assert_allclose(1 - transition[3, 3], 0.24)


def test_dawid_and_skene_are_worth_it_in_the_example():
  scope = {}
  for block in BLOCKS:
    exec(block, scope)
  labels, found = scope['labels'], scope['found']
  rate = np.mean(found.posterior.argmax(axis=1) != labels)
  voted = (scope['annotations'] >= 0).any(axis=1)
  assert rate < np.mean(scope['majority'] != labels[voted])
