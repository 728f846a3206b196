"""Mixtures of losses against an independent transcription."""

import functools

import jax
from jax import lax
import numpy as np
import pytest
from scipy import stats

from noisy_labels import detection
from noisy_labels import estimation
from tests.estimation import problems

N = 1200
RNG = np.random.default_rng(0)
WRONG = RNG.random(N) < 0.3
LOSSES = np.where(WRONG, RNG.gamma(8, 0.4, N), RNG.exponential(0.4, N))
kinds = pytest.mark.parametrize('kind', ['gaussian', 'beta'])


def mixture(losses, *args, **settings):
  with jax.enable_x64(True):
    function = functools.partial(detection.loss_mixture, **settings)
    return np.asarray(jax.jit(function)(losses, *args))


def beta_by_the_paper(losses, num_steps):
  """The equations of Arazo et al., one component after the other."""
  low, high = (np.percentile(losses, p, method='higher') for p in (5, 95))

  def scale(x):
    return np.clip((x - low) / (high - low), 1e-3, 1 - 1e-3)

  x = scale(losses[(losses >= low) & (losses <= high)])
  weight, alpha, beta = [0.5, 0.5], [1.0, 2.0], [2.0, 1.0]

  def densities(x):
    return np.array(
      [weight[k] * stats.beta.pdf(x, alpha[k], beta[k]) for k in range(2)]
    )

  for _ in range(num_steps):
    shares = np.maximum(densities(x), 1e-12)
    shares /= shares.sum(axis=0)
    for k in range(2):
      mean = np.average(x, weights=shares[k])
      variance = np.average((x - mean) ** 2, weights=shares[k])
      alpha[k] = mean * (mean * (1 - mean) / variance - 1)
      beta[k] = alpha[k] * (1 - mean) / mean
      weight[k] = shares[k].mean()

  def upper(x):
    both = densities(x)
    return both[1] / both.sum(axis=0)

  grid = (np.arange(100) + 0.5) / 100
  peak = grid[upper(grid).argmax()]
  values = scale(losses)
  return np.where(values >= peak, upper(grid).max(), upper(values))


@pytest.mark.parametrize('num_steps', [1, 10, 50])
def test_beta_follows_the_equations(num_steps):
  got = mixture(LOSSES, kind='beta', num_steps=num_steps)
  want = beta_by_the_paper(LOSSES, num_steps)
  np.testing.assert_allclose(got, want, atol=1e-9)


def test_ten_steps_are_the_default():
  np.testing.assert_array_equal(
    mixture(LOSSES, kind='beta'), mixture(LOSSES, kind='beta', num_steps=10)
  )


def test_gaussian_is_that_of_estimation():
  with jax.enable_x64(True):
    fit = jax.jit(
      functools.partial(estimation.gaussian_mixture, least_variance=1e-12)
    )(LOSSES)
    want = 1 - estimation.lower_posterior(LOSSES, fit)
  np.testing.assert_allclose(mixture(LOSSES), want, atol=1e-3)


@kinds
def test_neither_unit_nor_zero_matters(kind):
  want = mixture(LOSSES, kind=kind)
  got = mixture(1e3 * LOSSES - 5e3, kind=kind)
  np.testing.assert_allclose(got, want, atol=1e-7)


@kinds
def test_it_knows_the_wrong_ones(kind):
  noise = np.random.default_rng(2).normal(0, 0.3, N)
  losses = {'beta': LOSSES, 'gaussian': np.where(WRONG, 3, 0.5) + noise}[kind]
  got = mixture(losses, kind=kind)
  assert abs(got.mean() - WRONG.mean()) < 0.1
  assert ((got > 0.5) == WRONG).mean() > 0.9


@kinds
@pytest.mark.parametrize('filler', [0.0, 1e9, np.nan])
def test_masked_losses_do_not_count(kind, filler):
  mask = np.random.default_rng(1).integers(2, size=N)
  got = mixture(np.where(mask, LOSSES, filler), mask, kind=kind)
  want = mixture(LOSSES[mask > 0], kind=kind)
  np.testing.assert_allclose(got[mask > 0], want, atol=1e-9)
  assert np.isfinite(got).all()


@kinds
def test_shards_are_one(kind):
  with jax.enable_x64(True):

    def function(losses):
      score = detection.loss_mixture(
        losses, kind=kind, total=lambda tree: lax.psum(tree, 'shards')
      )
      return lax.all_gather(score, 'shards', tiled=True)

    got = problems.sharded(function, LOSSES)
  np.testing.assert_allclose(got, mixture(LOSSES, kind=kind), atol=1e-9)


@kinds
@pytest.mark.parametrize('x64', [False, True])
def test_hardly_any_data(kind, x64):
  function = jax.jit(functools.partial(detection.loss_mixture, kind=kind))
  for losses in (
    [0.0, 0.0, 0.0],
    [5.1] * 4,
    [2.0],
    [0.0, 1.0],
    [0.0] * 50 + [1.0],
  ):
    # Padded to one shape, since compilation takes the time.
    padded = np.pad(losses, (0, 51 - len(losses)))
    with jax.enable_x64(x64):
      got = function(padded, np.arange(51) < len(losses))[: len(losses)]
    assert np.isfinite(got).all()
    assert (np.diff(got) >= -1e-6).all()
    if len(set(losses)) == 1:
      np.testing.assert_allclose(got, 0, atol=2e-3)


@kinds
def test_one_loss(kind):
  got = mixture(np.array([2.0]), kind=kind)
  np.testing.assert_allclose(got, 0, atol=2e-3)


@kinds
def test_no_data(kind):
  assert np.isfinite(mixture(np.ones(3), np.zeros(3), kind=kind)).all()


def test_errors():
  with pytest.raises(ValueError, match="kind must be 'gaussian' or 'beta'"):
    detection.loss_mixture(LOSSES, kind='gamma')
  with pytest.raises(ValueError, match='num_steps'):
    detection.loss_mixture(LOSSES, num_steps=0)
  with pytest.raises(ValueError, match='losses must be finite'):
    detection.loss_mixture(np.array([1.0, np.nan]))
  with pytest.raises(ValueError, match='losses must have shape'):
    detection.loss_mixture(np.ones((3, 2)))
