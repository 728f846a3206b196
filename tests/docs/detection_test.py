"""docs/detection.md has every name, and what it shows runs."""

import pathlib
import re

import jax
import numpy as np

from noisy_labels import detection
from noisy_labels.detection import confident
from tests.detection import detector_cases
from tests.estimation import problems

PAGE = (pathlib.Path(__file__).parents[2] / 'docs' / 'detection.md').read_text()
BLOCKS = re.findall(r'```python\n(.*?)```', PAGE, flags=re.DOTALL)


def test_every_public_name_is_there():
  first = re.findall(r'^\| `(\w+)` \|', PAGE, flags=re.M)
  functions = {*detection.__all__} - {*detector_cases.TYPES}
  assert functions <= {*first}
  for name in detector_cases.TYPES:
    assert f'`{name}`' in PAGE


def test_every_filter_is_there():
  section = PAGE.split('| `filter_by` |')[1].split('\n\n')[0]
  assert {*re.findall(r'^\| `(\w+)`', section, flags=re.M)} == {
    *confident.FILTERS
  }


def test_ranges_are_those_that_the_tests_hold():
  section = PAGE.split('## Scores\n')[1].split('\n## ')[0]
  for line in re.findall(r'^\| (`.*) \|$', section, flags=re.M):
    name, said = line.split('|')[0].strip(' `'), line.split('|')[3].strip()
    case = detector_cases.CASES[name]
    if said.startswith('0 to 1'):
      assert (case.low, case.high) == (0, 1)
    else:
      assert case.high not in (0, 1)


def test_the_examples_run():
  labels, probs = problems.random_problem(300, 5)
  logits = np.random.default_rng(0).normal(size=(3, 300, 6))
  scope = {'labels': labels, 'probs': probs, 'num_classes': 5, 'jax': jax}
  scope['logits'] = logits
  for block in BLOCKS:
    exec(block, scope)
  assert scope['number'] > 0
  assert scope['wrong'].shape == labels.shape
