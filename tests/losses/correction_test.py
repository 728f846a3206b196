"""Backward correction: exactly unbiased, for any loss and any noise."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels import noise

K = 5
MATRIX = 0.6 * np.eye(K) + 0.4 * np.random.default_rng(0).dirichlet(
  np.ones(K), size=K
)
PLAIN = {
  'cross_entropy': losses.cross_entropy,
  'mean_absolute_error': losses.mean_absolute_error,
  'generalized': functools.partial(losses.generalized_cross_entropy, q=0.7),
  'clipped': functools.partial(losses.clipped_cross_entropy, max_loss=2.0),
}


@pytest.fixture(autouse=True)
def _float64():
  with jax.enable_x64(True):
    yield


@pytest.fixture
def logits():
  return 3 * jax.random.normal(jax.random.key(0), (8, K))


def for_every_label(loss, logits):
  """Losses `[batch, label]`."""

  def of(k):
    return loss(logits, jnp.full(len(logits), k))

  return jax.jit(jax.vmap(of, out_axes=-1))(jnp.arange(K))


def symmetric(exclude_true):
  return noise.SymmetricTransition(0.4, exclude_true=exclude_true)


@pytest.mark.parametrize('name', PLAIN)
@pytest.mark.parametrize(
  'transition',
  [MATRIX, symmetric(True), symmetric(False), noise.PairFlipTransition(0.3)],
  ids=['matrix', 'excluding', 'redrawing', 'pair flip'],
)
def test_expectation_is_the_loss_of_the_true_label(logits, name, transition):
  loss = PLAIN[name]
  corrected = losses.backward_corrected(loss, transition)
  matrix = transition
  if transition is not MATRIX:
    matrix = transition.matrix(K)
  got = for_every_label(corrected, logits) @ matrix.T
  np.testing.assert_allclose(got, for_every_label(loss, logits), rtol=1e-11)


@pytest.mark.parametrize('name', PLAIN)
def test_expected_gradient_is_that_of_the_true_label(logits, name):
  loss = PLAIN[name]
  corrected = losses.backward_corrected(loss, MATRIX)

  def expected(logits):
    return for_every_label(corrected, logits)[0] @ MATRIX[2]

  got = jax.grad(expected)(logits)
  want = jax.grad(lambda z: for_every_label(loss, z)[0, 2])(logits)
  np.testing.assert_allclose(got, want, atol=1e-13)


def test_no_noise_changes_nothing(logits):
  corrected = losses.backward_corrected(losses.cross_entropy, np.eye(K))
  labels = jnp.arange(8) % K
  want = losses.cross_entropy(logits, labels)
  np.testing.assert_array_equal(corrected(logits, labels), want)


def test_under_uniform_noise_it_is_negative_label_smoothing(logits):
  e, labels = 0.3, jnp.arange(8) % K
  corrected = losses.backward_corrected(
    losses.cross_entropy, noise.SymmetricTransition(e, exclude_true=False)
  )
  want = losses.smoothed_cross_entropy(logits, labels, smoothing=-e / (1 - e))
  np.testing.assert_allclose(corrected(logits, labels), want, rtol=1e-12)


@pytest.mark.parametrize('soft_labels', [False, True])
def test_forms_of_a_transition_agree(logits, soft_labels):
  rng = np.random.default_rng(1)
  labels = jnp.arange(8) % K
  if soft_labels:
    labels = jnp.asarray(rng.uniform(size=(8, K)))
  for form in (
    symmetric(True),
    symmetric(False),
    noise.PairFlipTransition(0.3),
  ):
    want = losses.backward_corrected(
      losses.mean_absolute_error, form.matrix(K)
    )(logits, labels)

    @jax.jit
    def traced(rate, form=form):
      return losses.backward_corrected(
        losses.mean_absolute_error, form._replace(rate=rate)
      )(logits, labels)

    @jax.jit
    def of_matrix(transition):
      return losses.backward_corrected(losses.mean_absolute_error, transition)(
        logits, labels
      )

    for got in (
      losses.backward_corrected(losses.mean_absolute_error, form)(
        logits, labels
      ),
      traced(form.rate),
      of_matrix(jnp.asarray(form.matrix(K))),
    ):
      np.testing.assert_allclose(got, want, rtol=1e-10)


@pytest.mark.parametrize('soft_labels', [False, True])
def test_every_example_may_have_a_rate_of_its_own(soft_labels):
  rates = np.array([0.1, 0.2, 0.3, 0.0, 0.45])
  logits = 3 * jax.random.normal(jax.random.key(0), (K, K))
  labels = jnp.arange(K)[::-1]
  if soft_labels:
    labels = jnp.asarray(np.random.default_rng(1).dirichlet(np.ones(K), K))
  for form in (
    symmetric(True),
    symmetric(False),
    noise.PairFlipTransition(0.3),
  ):

    def of(rate, part, form=form):
      corrected = losses.backward_corrected(
        losses.mean_absolute_error, form._replace(rate=rate)
      )
      return corrected(logits[part], labels[part])

    want = [
      of(rate, slice(i, i + 1))[0] for i, rate in enumerate(rates.tolist())
    ]
    for given in (rates, jnp.asarray(rates)):
      np.testing.assert_allclose(of(given, slice(None)), want, rtol=1e-10)
    # Of fewer examples than classes, too.
    np.testing.assert_allclose(of(rates[:2], slice(2)), want[:2], rtol=1e-10)
    with pytest.raises(ValueError, match='in'):
      of(np.array([0.1, 1.5, 0.1, 0.1, 0.1]), slice(None))


def test_gradient_by_the_transition(logits):
  labels = jnp.arange(8) % K

  def total(transition):
    return losses.backward_corrected(losses.cross_entropy, transition)(
      logits, labels
    ).sum()

  direction = np.random.default_rng(2).normal(size=(K, K)) * 1e-6
  slope = jnp.vdot(jax.grad(total)(jnp.asarray(MATRIX)), direction)
  of = jax.jit(total)
  change = of(MATRIX + direction) - of(MATRIX - direction)
  np.testing.assert_allclose(2 * slope, change, rtol=1e-6)


def test_float32_is_corrected_by_an_inverse_of_float64(logits):
  """Though T is nearly singular."""
  nearly = noise.symmetric(K, 0.799, exclude_true=True)
  logits = logits.astype(jnp.float32)
  corrected = losses.backward_corrected(losses.mean_absolute_error, nearly)
  got = corrected(logits, jnp.zeros(8, int))
  assert got.dtype == jnp.float32
  want = corrected(logits.astype(jnp.float64), jnp.zeros(8, int))
  np.testing.assert_allclose(got, want, rtol=1e-4)


@pytest.mark.parametrize(
  'transition',
  [
    np.full((K, K), 1 / K),
    jnp.full((K, K), 1 / K),
    np.eye(K)[[0, 0, 2, 3, 4]],
    noise.symmetric(K, 1 - 1 / K, exclude_true=True),
  ],
)
def test_noise_that_tells_nothing_has_no_correction(transition):
  with pytest.raises(ValueError, match='rows are alike'):
    losses.backward_corrected(losses.cross_entropy, transition)


@pytest.mark.parametrize(
  ('transition', 'message'),
  [
    (noise.SymmetricTransition(1.0, exclude_true=False), 'some information'),
    (noise.SymmetricTransition(0.8, exclude_true=True), 'some information'),
    (noise.SymmetricTransition(0.8 - 1e-9, True), 'some information'),
    (noise.SymmetricTransition(1 - 1e-9, False), 'some information'),
    (noise.PairFlipTransition(0.5), 'rows are alike'),
  ],
)
def test_structured_noise_that_tells_nothing(transition, message):
  logits = jnp.zeros((2, 4 if 'alike' in message else K))
  with pytest.raises(ValueError, match=message):
    losses.backward_corrected(losses.cross_entropy, transition)(
      logits, jnp.zeros(2, int)
    )


@pytest.mark.parametrize(
  ('transition', 'message'),
  [
    (np.eye(3)[:2], 'square'),
    (0.9 * np.eye(3), 'sum to 1'),
    (noise.SymmetricTransition(1.5, exclude_true=True), 'rate must be in'),
    (noise.PairFlipTransition(-0.1), 'rate must be in'),
  ],
)
def test_what_is_no_transition(transition, message):
  with pytest.raises(ValueError, match=message):
    losses.backward_corrected(losses.cross_entropy, transition)


def test_a_transition_of_other_classes(logits):
  corrected = losses.backward_corrected(losses.cross_entropy, np.eye(3))
  with pytest.raises(AssertionError, match='transition must have shape'):
    corrected(logits, jnp.zeros(8, int))


@pytest.mark.parametrize('num_classes', [3, 7, 19])
def test_the_rate_that_tells_nothing_is_refused_whatever_it_rounds_to(
  num_classes,
):
  worst = (num_classes - 1) / num_classes
  transition = noise.SymmetricTransition(worst, exclude_true=True)
  arguments = jnp.zeros((2, num_classes)), jnp.zeros(2, int)
  with pytest.raises(ValueError, match='some information'):
    losses.backward_corrected(losses.cross_entropy, transition)(*arguments)
  with pytest.raises(ValueError, match='rate must be in'):
    losses.forward_corrected_cross_entropy(*arguments, transition=transition)
