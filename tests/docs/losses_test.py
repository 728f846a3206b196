"""What docs/losses.md says of each loss is what the code does."""

import functools
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import loss_fields
from experiments import named_losses
from experiments import noises
from experiments import recommended
from experiments.configs import common
from noisy_labels import losses

PAGE = pathlib.Path(__file__).parents[2] / 'docs' / 'losses.md'
NUM_CLASSES = 10


def _tables():
  """Rows of the page's tables as dictionaries, by the header above them."""
  header = None
  for line in PAGE.read_text().splitlines():
    cells = [cell.strip() for cell in line.strip().split('|')[1:-1]]
    if not line.startswith('|'):
      header = None
    elif header is None:
      header = cells
    elif not line.startswith('|---'):
      yield dict(zip(header, cells, strict=True))


FACTS = {
  re.match(r'`(\w+)`', row['loss'])[1]: row
  for row in _tables()
  if 'bounded' in row
}


@functools.cache
def _loss(name):
  """A loss with official hyper-parameters, in float64 or nearly so."""
  config = common.get_config()
  config.loss.update(
    recommended.recommended(name, 'cifar10', 'symmetric:0.4').loss
  )
  transition = noises.make_transition(config.noise, NUM_CLASSES)
  known = named_losses.facts(transition, transition)
  return jax.jit(named_losses.make(config.loss, known))


def _of_all_labels(loss, logits):
  """Losses `[num_classes, 300]` of that many logits, in a batch of 3000."""
  labels = jnp.repeat(jnp.arange(NUM_CLASSES), len(logits))
  return loss(jnp.tile(logits, (NUM_CLASSES, 1)), labels).reshape(
    NUM_CLASSES, len(logits)
  )


@functools.cache
def _values(name):
  logits = 3 * jax.random.normal(jax.random.key(0), (300, NUM_CLASSES))
  return np.asarray(_of_all_labels(_loss(name), logits))


NAMED = [
  name
  for name in FACTS
  if name in loss_fields.names() and name not in loss_fields.OF_VIEWS
]


def test_every_public_name_is_on_the_page():
  page = PAGE.read_text()
  for name in (*losses.PER_EXAMPLE, *losses.OF_BATCHES):
    assert page.count(f'`{name}`') >= 2, name
  for name in (*losses.COMBINATORS, *losses.TRANSFORMS):
    assert re.search(rf'`{name}[(`]', page), name
  assert {*losses.PER_EXAMPLE} <= {*FACTS}


@pytest.mark.parametrize('name', NAMED)
def test_bounded(name):
  logits = jnp.zeros((300, NUM_CLASSES)).at[:, 0].set(1e4)
  largest = jnp.max(jnp.abs(_of_all_labels(_loss(name), logits)))
  # Bounds go up to a^2 for the mean square error, with a = 30.
  assert (largest < 1000) == FACTS[name]['bounded'].startswith('yes')


@pytest.mark.parametrize('name', NAMED)
def test_symmetric(name):
  totals = np.sum(_values(name), axis=0)
  constant = np.ptp(totals) < 1e-3 * np.ptp(_values(name))
  assert constant == (FACTS[name]['symmetric'] == 'yes')


@pytest.mark.parametrize('name', NAMED)
def test_convex_in_the_probabilities(name):
  claim = FACTS[name]['convex']
  if not claim:
    pytest.skip('the page leaves it open')
  if claim not in ('yes', 'no'):
    claim = {
      'asymmetric_generalized_cross_entropy': 'yes',  # q = 0.6 <= 1
      'asymmetric_unhinged_loss': 'yes',  # q = 3 >= 1
      'smoothed_cross_entropy': 'yes',  # s = 0.1 >= 0
    }[name]
  loss = _loss(name)
  keys = jax.random.split(jax.random.key(1), 3)
  scale = jnp.geomspace(0.1, 20, 3000)[:, None]
  ends = [
    jax.nn.softmax(scale * jax.random.normal(key, (3000, NUM_CLASSES)))
    for key in keys[:2]
  ]
  middle = (ends[0] + ends[1]) / 2
  labels = jax.random.randint(keys[2], (3000,), 0, NUM_CLASSES)
  one, other, half = (
    loss(jnp.log(jnp.maximum(probs, 1e-30)), labels)
    for probs in (*ends, middle)
  )
  chord = (one + other) / 2
  convex = bool(jnp.all(half <= chord + 1e-4 * (1 + jnp.abs(chord))))
  assert convex == (claim == 'yes')


def test_costs_are_those_of_the_benchmarks():
  text = (PAGE.parent / 'benchmarks.md').read_text()
  section = text.split('[4096, 1000] float32, ')[1].split('```')[0]
  measured = dict(re.findall(r'^(\w+) +([\d.]+) ', section, flags=re.M))
  costs = {name: row['cost'] for name, row in FACTS.items() if row['cost']}
  assert len(costs) > 20
  assert costs == {name: measured[name] for name in costs}
