import itertools

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from experiments import errors
from experiments.data import lanes


def _batches(index, num_lanes, *, shares, seed, epoch):
  """Global batches as identities; `shares` are devices a process."""
  num_devices = sum(shares)
  deal = lanes.Deal(len(index), num_devices, num_lanes)
  bounds = deal.bounds(num_devices)
  parts = []
  ends = list(itertools.accumulate(shares))
  for stop, share in zip(ends, shares, strict=True):
    mine = range(stop - share, stop)
    own = index[bounds[mine.start] : bounds[mine.stop]]
    rows = lanes.epoch_rows(own, deal, devices=mine, seed=seed, epoch=epoch)
    assert rows.shape == (deal.steps, share, num_lanes // num_devices)
    for device in range(share):
      start = bounds[mine.start + device] - bounds[mine.start]
      assert np.all(rows[:, device] < deal.rows)
      parts.append(own[start + rows[:, device]])
  return np.concatenate(parts, axis=1)


@hypothesis.settings(deadline=None, max_examples=50, derandomize=True)
@hypothesis.given(
  num_lanes=st.sampled_from([8, 16, 24]),
  extra=st.integers(0, 100),
  seed=st.integers(0, 2**32),
  epoch=st.integers(0, 1000),
)
def test_batches_are_the_same_on_any_devices(num_lanes, extra, seed, epoch):
  index = np.sort(
    np.random.default_rng(0).permutation(500)[: num_lanes + extra]
  )
  one = _batches(index, num_lanes, shares=[1], seed=seed, epoch=epoch)
  for shares in ([2], [4], [1, 1], [2, 2], [1, 1, 1, 1], [8]):
    other = _batches(index, num_lanes, shares=shares, seed=seed, epoch=epoch)
    np.testing.assert_array_equal(one, other)


def test_an_epoch_takes_no_example_twice_and_forgets_none_for_long():
  index = np.arange(103)
  seen = np.zeros(103, int)
  for epoch in range(40):
    batches = _batches(index, 10, shares=[2], seed=3, epoch=epoch)
    counts = np.bincount(batches.ravel(), minlength=103)
    assert counts.max() == 1
    assert counts.sum() == 100
    seen += counts
  # A lane has 10 or 11 examples, so each is taken in 10 of 11 epochs or more.
  assert seen.min() >= 25


def test_order_depends_on_seed_and_epoch_alone():
  index = np.arange(64)

  def batches(seed, epoch):
    return _batches(index, 8, shares=[1], seed=seed, epoch=epoch)

  np.testing.assert_array_equal(batches(1, 2), batches(1, 2))
  assert np.any(batches(1, 2) != batches(1, 3))
  assert np.any(batches(1, 2) != batches(2, 2))


@pytest.mark.parametrize('fraction', [0.0, 0.1, 0.5, 0.999])
def test_hold_out_splits_without_overlap(fraction):
  kept, held = lanes.hold_out(1000, fraction, seed=0)
  np.testing.assert_array_equal(
    np.sort(np.concatenate([kept, held])), np.arange(1000)
  )
  assert len(held) == round(1000 * fraction)
  assert np.all(np.diff(kept) > 0)


def test_hold_out_depends_on_the_seed():
  assert np.any(
    lanes.hold_out(1000, 0.1, seed=0)[1] != lanes.hold_out(1000, 0.1, seed=1)[1]
  )


def test_trusted_examples_are_chosen_by_seed_and_index_alone():
  index = np.arange(3, 1000, 3)
  chosen = lanes.choose_trusted(index, 50, seed=1)
  assert len(np.unique(chosen)) == 50
  assert np.isin(chosen, index).all()
  shuffled = np.random.default_rng(0).permutation(index)
  again = lanes.choose_trusted(shuffled, 50, seed=1)
  np.testing.assert_array_equal(again, chosen)
  # More of them are the same and more; without the others, they are too.
  np.testing.assert_array_equal(
    lanes.choose_trusted(index, 80, seed=1)[:50], chosen
  )
  np.testing.assert_array_equal(
    lanes.choose_trusted(np.sort(chosen), 50, seed=1), chosen
  )
  assert np.any(lanes.choose_trusted(index, 50, seed=2) != chosen)


def test_a_part_is_of_all_places_and_within_any_larger_one():
  part = lanes.take_part(10_000, 1000, seed=0)
  counts, _ = np.histogram(part, 10, (0, 10_000))
  assert len(part) == 1000
  assert counts.min() > 60
  assert set(part) < set(lanes.take_part(10_000, 1001, seed=0))
  assert set(part) != set(lanes.take_part(10_000, 1000, seed=1))
  # A draw of its own: as many are held out as of all.
  _, held = lanes.hold_out(10_000, 0.1, seed=0)
  assert 60 < np.isin(held, part).sum() < 140
  for everything in (0, 10_000):
    index = lanes.take_part(10_000, everything, seed=0)
    np.testing.assert_array_equal(index, np.arange(10_000))


def test_trusted_examples_are_of_all_places():
  chosen = lanes.choose_trusted(np.arange(10_000), 1000, seed=0)
  counts, _ = np.histogram(chosen, 10, (0, 10_000))
  assert counts.min() > 60
  # A draw of its own: the held-out examples are not those of the smallest.
  _, held = lanes.hold_out(10_000, 0.1, seed=0)
  assert 60 < np.isin(held, chosen).sum() < 140


@pytest.mark.parametrize('number', [-1, 101])
def test_there_must_be_as_many_to_trust(number):
  with pytest.raises(errors.UsageError, match=r'num_trusted=.*0\.\.100'):
    lanes.choose_trusted(np.arange(100), number, seed=0)
  assert len(lanes.choose_trusted(np.arange(100), 100, seed=0)) == 100
  assert not len(lanes.choose_trusted(np.arange(100), 0, seed=0))
