"""docs/methods.md has every method, and docs/adding_a_method.md works."""

import pathlib
import re
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods

DOCS = pathlib.Path(__file__).parents[2] / 'docs'
PAGE = (DOCS / 'methods.md').read_text()
NEEDS = PAGE.split('## What they need\n')[1].split('\n## ')[0]
GUIDE = (DOCS / 'adding_a_method.md').read_text()
BLOCKS = re.compile(r'```python\n(.*?)```', flags=re.DOTALL)


def _first_cells(heading):
  """The names in the first column of the tables under a heading."""
  section = PAGE.split(f'## {heading}\n')[1].split('\n## ')[0]
  rows = re.findall(r'^\| (`.*?`) \|', section, flags=re.M)
  return [name for row in rows for name in re.findall(r'`(\w+)`', row)]


def test_every_public_function_is_there():
  names = {*methods.METHODS, *methods.LIFTS, *methods.WRAPPERS}
  assert {*_first_cells('Which to take')} == names
  for heading in ('What they need', 'Official settings'):
    assert sorted(_first_cells(heading)) == sorted(methods.METHODS)


MAKE = {
  'co_teaching': {'noise_rate': 0.4},
  'co_teaching_plus': {'noise_rate': 0.4, 'warm_up_epochs': 1.0},
  'divide_mix': {'warm_up_epochs': 10.0, 'unlabelled_weight': 25.0},
  'early_learning_regularization': {'beta': 0.7, 'weight': 3.0},
  'gold_loss_correction': {
    'transition': np.eye(7),
    'trusted_labels': np.zeros(5, int),
  },
  'joint_training': {'noise_rate': 0.4},
  'noise_adaptation_layer': {'transition': np.eye(7)},
  'sparse_over_parameterization': {
    'u_learning_rate': 10.0,
    'v_learning_rate': 10.0,
  },
  'transition_revision': {'transition': np.eye(7)},
}


@pytest.mark.parametrize('name', methods.METHODS)
def test_memory_parameters_and_networks_are_as_the_page_says(name):
  cells = re.search(rf'^\| `{name}` (.*)\|$', NEEDS, flags=re.M)[1].split('|')
  size, trains, networks = (cell.strip() for cell in cells[2:])
  method = getattr(methods, name)(**MAKE.get(name, {}))
  params, memory = jax.eval_shape(
    lambda key: method.init(key, 5, 7), jax.random.key(0)
  )
  total = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(memory))
  said = {'$4K$': 4 * 7, '$4K + 4$': 4 * 7 + 4}
  assert total == 5 * (said[size] if size in said else int(size))
  shapes = [leaf.shape for leaf in jax.tree.leaves(params)]
  of_trained = {'': [], '$K^2$': [(7, 7)], '$2K$': [(2, 7)]}
  assert shapes == of_trained[trains.split(', ')[-1]]
  assert bool(trains) == (method.optimizer is not None)
  assert ('$K^2$' in trains) == (method.transition is not None)
  assert method.num_networks == int(networks)


def test_the_example_of_the_page_runs():
  scope = {}
  exec(BLOCKS.search(PAGE)[1], scope)
  scope['model'] = types.SimpleNamespace(
    apply=lambda params, images: images @ params
  )
  images = jax.random.normal(jax.random.key(0), (4, 5))
  batch = {
    'image': images,
    'label': jnp.arange(4),
    'index': jnp.arange(4),
    'row': jnp.arange(4),
    'mask': jnp.ones(4),
  }
  (value, (memory, _)), gradient = jax.value_and_grad(
    scope['objective'], has_aux=True
  )(jnp.zeros((5, 10)), batch, scope['state'], jax.random.key(1))
  assert np.isfinite(value)
  assert gradient.shape == (5, 10)
  np.testing.assert_allclose(memory[:4], 0.03, rtol=1e-5)


def test_the_example_of_the_guide_runs():
  scope = {}
  exec(BLOCKS.search(GUIDE)[1], scope)
  method = scope['surprise_filter'](decay=0.5, max_loss=1.0)
  state = method.init(jax.random.key(0), 3, 2)
  batch = {
    'image': jnp.array([[0.0, 3.0], [3.0, 0.0]]),
    'label': jnp.array([0, 0]),
    'row': jnp.array([2, 0]),
    'mask': jnp.ones(2),
  }
  losses, (memory, metrics) = method.loss(lambda x, key: x, batch, state, None)
  np.testing.assert_array_equal(metrics['kept'], [0, 1])
  np.testing.assert_allclose(losses, [0, np.log1p(np.exp(-3))], rtol=1e-5)
  assert memory[1] == 0
