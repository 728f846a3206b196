"""What is drawn, read back from matplotlib's artists."""

import numpy as np

from experiments import heat_maps

# T[true, given] in percent.
MADE = np.array([[90.0, 10.0, 0.0], [0.0, 60.0, 40.0], [30.0, 0.0, 70.0]])
FOUND = np.array([[80.0, 15.0, 5.0], [0.0, 70.0, 30.0], [20.0, 0.0, 80.0]])
NAMES = ['cat', 'dog', 'owl']


def test_the_true_class_is_the_row_and_the_label_given_the_column():
  figure = heat_maps.draw({'made': MADE, 'estimated': FOUND}, NAMES)
  maps = figure.axes[:2]
  assert [axes.get_title() for axes in maps] == ['made', 'estimated']
  for axes, matrix in zip(maps, (MADE, FOUND), strict=True):
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), matrix)
    # One scale for both, and row 0 at the top.
    assert image.get_clim() == (0, 100)
    assert axes.yaxis_inverted()
    assert axes.get_xlabel() == 'label given'
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
      assert [tick.get_text() for tick in ticks] == NAMES
  assert [axes.get_ylabel() for axes in maps] == ['true class', '']


def test_a_number_lies_on_its_cell_unless_it_rounds_to_nothing():
  figure = heat_maps.draw({'made': MADE}, NAMES)
  texts = {
    text.get_position(): text.get_text() for text in figure.axes[0].texts
  }
  assert texts == {
    (0, 0): '90',
    (1, 0): '10',
    (1, 1): '60',
    (2, 1): '40',
    (0, 2): '30',
    (2, 2): '70',
  }


def test_of_many_classes_there_are_colours_alone():
  matrix = 100 * np.eye(13)
  figure = heat_maps.draw({'made': matrix}, [str(i) for i in range(13)])
  axes = figure.axes[0]
  np.testing.assert_array_equal(axes.images[0].get_array(), matrix)
  assert not axes.texts
