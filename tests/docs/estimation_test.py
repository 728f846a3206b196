"""What docs/estimation.md shows runs."""

import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import estimation
from tests.estimation import problems

PAGE = pathlib.Path(__file__).parents[2] / 'docs' / 'estimation.md'
BLOCKS = re.findall(r'```python\n(.*?)```', PAGE.read_text(), flags=re.DOTALL)
LABELS, PROBS = problems.random_problem(300, 4)


@pytest.mark.parametrize('kind', [np.asarray, jnp.asarray])
def test_blocks_run_in_their_order(kind):
  names = {
    'estimation': estimation,
    'jax': jax,
    'labels': kind(LABELS),
    'probs': kind(PROBS),
  }
  for block in BLOCKS:
    exec(block, names)
  lower, upper = names['interval'].lower.rate, names['interval'].upper.rate
  assert 0 <= lower < upper <= 1
  bias = names['bias_in_two_rounds'](names['estimate'], jax.random.key(0))
  assert -1 < bias.rate < 1
  assert bias.transition.shape == (4, 4)
