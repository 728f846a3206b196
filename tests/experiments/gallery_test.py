import re

import numpy as np
import pytest

from experiments import gallery
from experiments import gradient_mass
from experiments import loss_curves
from experiments import loss_fields
from experiments import recommended
from noisy_labels import losses


def test_curves_are_those_of_the_formulas():
  probs = loss_curves.PROBS
  values, weights = loss_curves.curve({'name': 'mean_absolute_error'})
  np.testing.assert_allclose(values, 2 * (1 - probs), atol=1e-5)
  np.testing.assert_allclose(weights, 2 * probs, rtol=1e-2)
  values, weights = loss_curves.curve(
    {'name': 'generalized_cross_entropy', 'q': 0.7}, spread=False
  )
  np.testing.assert_allclose(values, (1 - probs**0.7) / 0.7, atol=1e-5)
  np.testing.assert_allclose(weights, probs**0.7, rtol=1e-2)


def test_every_number_that_a_loss_takes_has_values_to_draw():
  for name in losses.PER_EXAMPLE:
    if name not in loss_fields.names():
      continue
    for field, parameter in loss_fields.parameters(name).items():
      if loss_fields.kind(parameter) in (float, int):
        assert gallery.values_of(name, field), f'{name}.{field}'


def test_a_card_has_the_formula_and_a_figure_for_each_hyper_parameter():
  card = gallery.card('generalized_cross_entropy')
  assert 'cross entropy' in card.summary
  assert '(1 - p_k^q) / q' in card.formula
  assert card.fields == {'q': 0.7}
  assert len(card.figures) == 1
  assert len(gallery.card('symmetric_cross_entropy').figures) == 3


def test_the_page_is_self_contained_and_has_every_loss(tmp_path, monkeypatch):
  # Drawing all of them takes a minute: here the cards have no figures.
  monkeypatch.setattr(loss_curves, 'draw', lambda curves: '<svg></svg>')
  monkeypatch.setattr(
    gradient_mass,
    'draw',
    lambda: [gradient_mass.Figure('<svg></svg>', 'caption')],
  )
  text = gallery.write(tmp_path / 'new').read_text()
  for name in (*recommended.table(), *losses.OF_BATCHES, *losses.PER_EXAMPLE):
    assert f'id="{name}"' in text
  assert '<script' not in text
  assert not re.findall(r'(src|href)="(?!#)', text)


@pytest.mark.parametrize('name', ['cross entropy', 'mixture'])
def test_right_and_wrong_labels_pull_as_the_loss_says(name):
  mass = gradient_mass.measure(gradient_mass.LOSSES[name], epochs=8)
  share = mass.wrong / (mass.wrong + mass.right)
  assert mass.accuracy[-1] > 0.85
  assert np.all(np.isfinite(share))
  if name == 'cross entropy':
    assert share[-1] > 0.5
  else:
    assert share[-1] < 0.5
