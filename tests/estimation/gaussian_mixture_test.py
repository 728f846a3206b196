"""The mixture of two against scikit-learn's."""

import functools
import warnings

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import exceptions
from sklearn import mixture as sklearn_mixture

from noisy_labels import estimation
from tests.estimation import problems

N = 2000


def _values(name):
  rng = np.random.default_rng(0)
  number = int(0.3 * N)
  low, high = {
    'apart': (rng.normal(0, 0.3, N - number), rng.normal(3, 0.5, number)),
    'overlapping': (rng.normal(0, 1, N - number), rng.normal(2.5, 1, number)),
    'one within the other': (
      rng.normal(1.0, 0.1, N - number),
      rng.normal(1.3, 1.5, number),
    ),
    'losses': (
      rng.exponential(0.1, N - number),
      np.abs(rng.normal(2.3, 0.8, number)),
    ),
    'far away': (
      1e3 + rng.normal(0, 0.3, N - number),
      1e3 + rng.normal(3, 0.5, number),
    ),
  }[name]
  return rng.permutation(np.concatenate([low, high]))


NAMES = (
  'apart',
  'overlapping',
  'one within the other',
  'losses',
  'far away',
)


def _fit(values, *args, **settings):
  with jax.enable_x64(True):
    values = jnp.asarray(values, jnp.float64)
    fit = functools.partial(estimation.gaussian_mixture, **settings)
    mixture = jax.jit(fit)(values, *args)
    clean = estimation.lower_posterior(values, mixture)
    return jax.tree.map(np.asarray, (mixture, clean))


def _theirs(values, **settings):
  fitter = sklearn_mixture.GaussianMixture(2, random_state=0, **settings)
  values = values[:, None]
  with warnings.catch_warnings():
    # A few steps on purpose.
    warnings.simplefilter('ignore', exceptions.ConvergenceWarning)
    fitter.fit(values)
  order = np.argsort(fitter.means_[:, 0])
  mixture = estimation.GaussianMixture(
    fitter.weights_[order],
    fitter.means_[order, 0],
    fitter.covariances_[order, 0, 0],
  )
  return mixture, fitter.predict_proba(values)[:, order[0]]


@pytest.mark.parametrize('name', NAMES)
def test_it_ends_where_scikit_learn_ends(name):
  values = _values(name)
  want = _theirs(values, max_iter=5000, tol=1e-13, reg_covar=1e-6)
  got = _fit(values, num_steps=5000, least_variance=1e-6)
  problems.assert_close(got, want, atol=1e-5)


@pytest.mark.parametrize('name', ['apart', 'losses'])
def test_few_steps_are_those_of_scikit_learn(name):
  """As DivideMix takes them; the start is 2-means there too."""
  values = _values(name)
  values = (values - values.min()) / (values.max() - values.min())
  want = _theirs(values, max_iter=10, tol=1e-2, reg_covar=5e-4)
  got = _fit(values, num_steps=10, tolerance=1e-2, least_variance=5e-4)
  problems.assert_close(got, want, atol=1e-7)
  longer = _fit(values, num_steps=500, tolerance=1e-2, least_variance=5e-4)
  problems.assert_close(got, longer, atol=0)


def test_likelihood_never_decreases():
  values = _values('overlapping')
  likelihoods = []
  for num_steps in (1, 2, 3, 10):
    w, m, v = _fit(values, num_steps=num_steps, least_variance=1e-12)[0]
    density = np.exp(-((values[:, None] - m) ** 2) / (2 * v)) / np.sqrt(v)
    likelihoods.append(np.log(density @ w).mean())
  assert (np.diff(likelihoods) >= 0).all()
  assert likelihoods[-1] > likelihoods[0] + 1e-3


def test_leading_axes_are_mixtures_of_their_own():
  values = np.stack([_values('apart'), _values('losses')])
  mixture, clean = _fit(values)
  for number, row in enumerate(values):
    alone = jax.tree.map(lambda leaf, n=number: leaf[n], (mixture, clean))
    problems.assert_close(_fit(row), alone, atol=1e-12)


def test_shards_are_one():
  values = np.stack([_values('apart'), _values('overlapping')])
  mask = np.random.default_rng(1).integers(2, size=N)
  want, _ = _fit(values, mask)
  with jax.enable_x64(True):
    got = problems.sharded(
      lambda values, mask: estimation.gaussian_mixture(
        values.T,
        mask,
        total=lambda tree: lax.psum(tree, 'shards'),
      ),
      values.T,
      mask,
    )
  problems.assert_close(got, want, atol=1e-10)


@pytest.mark.parametrize('filler', [0.0, 1e9, np.nan])
def test_masked_values_do_not_count(filler):
  values = _values('apart')
  mask = np.random.default_rng(1).integers(2, size=N)
  got, _ = _fit(np.where(mask, values, filler), mask)
  want, _ = _fit(values[mask > 0])
  problems.assert_close(got, want, atol=1e-10)


@pytest.mark.parametrize(
  'values',
  [[0.0, 0.0, 0.0], [5.0] * 4, [2.0], [0.0, 1.0], [0.0] * 50 + [1.0]],
)
def test_hardly_any_data(values):
  mixture, clean = _fit(np.array(values))
  for leaf in (*mixture, clean):
    assert np.isfinite(leaf).all()
  np.testing.assert_allclose(clean, np.array(values) == min(values), atol=1e-6)


def test_no_data():
  mixture, clean = _fit(np.ones(3), np.zeros(3))
  for leaf in (*mixture, clean):
    assert np.isfinite(leaf).all()


def test_float32_will_do():
  values = _values('losses')
  want, _ = _fit(values)
  got = jax.jit(estimation.gaussian_mixture)(values.astype(np.float32))
  for left, right in zip(got, want, strict=True):
    assert left.dtype == np.float32
    np.testing.assert_allclose(left, right, rtol=1e-3)


@pytest.mark.parametrize(
  ('name', 'value'),
  [('num_steps', 0), ('tolerance', -1.0), ('least_variance', 0.0)],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    estimation.gaussian_mixture(np.ones(3), **{name: value})
