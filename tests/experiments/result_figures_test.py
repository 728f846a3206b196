"""What is drawn, read back from matplotlib's artists."""

import numpy as np
import pytest

from experiments import result_figures


def _run(**values):
  """The metrics of a run, from `epoch_2=0.5` and so on."""
  return [
    {'epoch': int(name.removeprefix('epoch_')), 'accuracy': value}
    for name, value in values.items()
  ]


def _curves(runs):
  figure = result_figures.draw_curves(runs, 'accuracy', 'test accuracy')
  (axes,) = figure.axes
  return axes


def _band(axes, epoch):
  """The lowest and the highest edge of the only band at an epoch."""
  (band,) = axes.collections
  edges = [
    y for path in band.get_paths() for x, y in path.vertices if x == epoch
  ]
  return (min(edges), max(edges)) if edges else None


def test_a_curve_is_the_mean_of_the_seeds_and_the_band_their_deviation():
  runs = [_run(epoch_2=0.2, epoch_4=0.5), _run(epoch_2=0.4, epoch_4=0.5)]
  axes = _curves({'one_loss': runs})
  (line,) = axes.lines
  np.testing.assert_array_equal(line.get_xdata(), [2, 4])
  np.testing.assert_allclose(line.get_ydata(), [0.3, 0.5])
  assert line.get_label() == 'one loss'
  assert _band(axes, 2) == pytest.approx((0.3 - 0.02**0.5, 0.3 + 0.02**0.5))
  assert _band(axes, 4) == pytest.approx((0.5, 0.5))
  assert (axes.get_xlabel(), axes.get_ylabel()) == ('epoch', 'test accuracy')


def test_the_curve_of_one_seed_has_its_metrics_and_no_band():
  axes = _curves(
    {'a': [_run(epoch_1=0.1, epoch_2=0.7)], 'b': [_run(epoch_1=0.9)]}
  )
  assert [list(line.get_ydata()) for line in axes.lines] == [[0.1, 0.7], [0.9]]
  assert not axes.collections


def test_a_curve_goes_as_far_as_the_longest_seed():
  # Every second epoch and the last are measured; one seed ended early.
  runs = [
    _run(epoch_2=0.2, epoch_4=0.4),
    _run(epoch_2=0.4, epoch_4=0.8, epoch_6=0.6, epoch_7=0.7),
    _run(epoch_2=0.6, epoch_4=0.6, epoch_6=0.8),
  ]
  axes = _curves({'early': runs})
  (line,) = axes.lines
  np.testing.assert_array_equal(line.get_xdata(), [2, 4, 6, 7])
  np.testing.assert_allclose(line.get_ydata(), [0.4, 0.6, 0.7, 0.7])
  assert _band(axes, 2) == pytest.approx((0.2, 0.6))
  assert _band(axes, 6) == pytest.approx((0.7 - 0.02**0.5, 0.7 + 0.02**0.5))
  assert _band(axes, 7) is None


def test_seeds_that_share_no_epoch_have_a_curve_and_no_band():
  axes = _curves({'apart': [_run(epoch_1=0.1), _run(epoch_2=0.2)]})
  (line,) = axes.lines
  np.testing.assert_allclose(line.get_ydata(), [0.1, 0.2])
  assert _band(axes, 1) is None
  assert _band(axes, 2) is None


def test_what_was_not_measured_is_not_drawn_and_no_warning():
  runs = [_run(epoch_1=np.nan, epoch_2=np.nan), _run(epoch_1=np.nan)]
  (line,) = _curves({'no_wrong_label': runs}).lines
  assert np.isnan(line.get_ydata()).all()


def test_wrong_labels_are_in_the_row_of_the_true_class():
  counts = [[50, 1, 2], [30, 60, 4], [5, 6, 70]]
  figure = result_figures.draw_confusion(
    {'noise_counts': counts, 'class_names': ['cat', 'dog', 'owl']}
  )
  axes = figure.axes[0]
  (image,) = axes.images
  drawn = np.ma.filled(image.get_array().astype(float), np.nan)
  np.testing.assert_array_equal(
    drawn, [[np.nan, 1, 2], [30, np.nan, 4], [5, 6, np.nan]]
  )
  assert (axes.get_xlabel(), axes.get_ylabel()) == ('label given', 'true class')
  for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
    assert [tick.get_text() for tick in ticks] == ['cat', 'dog', 'owl']
  # Row 0 is at the top, and the number of a cell lies on it.
  assert axes.yaxis_inverted()
  texts = {text.get_position(): text.get_text() for text in axes.texts}
  assert texts == {
    (given, true): str(counts[true][given])
    for true in range(3)
    for given in range(3)
  }
