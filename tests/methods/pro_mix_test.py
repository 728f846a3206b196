"""ProMix against the paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from noisy_labels.methods import mixing
from tests.methods import tiny_training

N, K = tiny_training.NUM_EXAMPLES, tiny_training.NUM_CLASSES
SHARE, CONFIDENCE, DEBIAS, DECAY = 0.6, 0.5, 0.6, 0.7
ROOM, ALPHA, PENALTY = 0.7, 3.0, 0.3
WARM_UP, RAMP, GUESS = 2, 5, 4


def make(**changes):
  return methods.pro_mix(
    **{
      'select_share': SHARE,
      'confidence': CONFIDENCE,
      'warm_up_epochs': float(WARM_UP),
      'ramp_epochs': float(RAMP),
      'guess_epochs': float(GUESS),
      'guess_share': ROOM,
      'debias': DEBIAS,
      'decay': DECAY,
      'alpha': ALPHA,
      'confidence_penalty': PENALTY,
      **changes,
    }
  )


@jax.jit
def draw(key, chosen):
  _, _, ratio_key, order_key = jax.random.split(key, 4)
  ratio_keys, order_keys = (
    jax.random.split(key) for key in (ratio_key, order_key)
  )
  return [mixing.ratio(key, ALPHA) for key in ratio_keys], [
    mixing.partners(key, each)
    for key, each in zip(order_keys, chosen, strict=True)
  ]


def draws(number, chosen):
  """Ratios and partners of a step: what is random is not transcribed."""
  with jax.enable_x64(True):
    key = jax.random.fold_in(jax.random.key(9), number)
    return jax.tree.map(np.asarray, draw(key, jnp.asarray(chosen)))


def smallest_of_classes(losses, labels):
  """Equation 2: the same number of small losses in every class."""
  small = np.zeros(N, bool)
  for k in range(K):
    own = np.flatnonzero(labels == k)
    number = int(np.ceil(N / K * SHARE))
    small[own[losses[own].argsort()][:number]] = True
  return small


def guessed_by_agreement(p, kept):
  """Which a network guesses: those that both are sure of, the surest first."""
  sure = (p.max(-1) > CONFIDENCE).all(0) & (p[0].argmax(1) == p[1].argmax(1))
  guessed = np.zeros(kept.shape, bool)
  for k in range(2):
    room = max(int(kept.shape[1] * ROOM) - kept[k].sum(), 0)
    free = np.flatnonzero(sure & ~kept[k])
    best = free[np.argsort(-p[:, free].max(-1).mean(0))]
    guessed[k, best[:room]] = True
  return guessed


def cross_entropy(weights, images, targets, bias, among):
  """The mean over some of the images, its parts, and gradient by weights."""
  p = tiny_training.softmax(images @ weights + bias)
  share = among / max(among.sum(), 1)
  losses = -(targets * np.log(p)).sum(1) * share
  return losses, images.T @ ((p - targets) * share[:, None])


def warm_up(weights, images, y):
  p = tiny_training.softmax(images @ weights)
  entropy = (p * np.log(p)).sum(1)
  by_entropy = p * (np.log(p) - entropy[:, None])
  losses = -np.log((p * y).sum(1)) + PENALTY * entropy
  by_logits = p - y + PENALTY * by_entropy
  return losses / len(y), images.T @ by_logits / len(y)


def network_step(weights, views, targets, bias, chosen, strength, drawn):
  """l(x, t) + g (l(x', t) + l of the mixed), its parts and its gradient."""
  ratio, partners = drawn
  first, second = views
  mixed = ratio * first + (1 - ratio) * first[partners]
  mixed_targets = ratio * targets + (1 - ratio) * targets[partners]
  terms = [
    (1, cross_entropy(weights, first, targets, bias, chosen)),
    (strength, cross_entropy(weights, second, targets, bias, chosen)),
    (strength, cross_entropy(weights, mixed, mixed_targets, bias, chosen)),
  ]
  losses = sum(factor * parts[0] for factor, parts in terms)
  return losses, sum(factor * parts[1] for factor, parts in terms)


def transcription(num_epochs):
  images, labels = tiny_training.examples()
  weights, history = tiny_training.initial_weights(2), []
  small, prior = np.zeros((N, 2), bool), np.full((2, K), 1 / K)
  kept_last, num_guessed = np.ones(N), 0
  for number, rows in enumerate(tiny_training.schedule(num_epochs)):
    epoch = number // 2
    y = np.eye(K)[labels[rows]]
    views = images[rows], images[rows] + 0.1 * images[rows][:, ::-1]
    p = tiny_training.softmax(views[0] @ weights)
    if epoch < WARM_UP:
      parts = [warm_up(each, views[0], y) for each in weights]
    else:
      kept = small[rows].T | ((p * y).sum(-1) > CONFIDENCE)
      kept_last[rows] = kept.mean(0)
      guessed = np.zeros(kept.shape, bool)
      if epoch >= GUESS:
        guessed = guessed_by_agreement(p, kept)
      num_guessed += guessed.sum()
      chosen = kept | guessed
      drawn = draws(number, chosen)
      parts = []
      for k in range(2):
        bias = DEBIAS * np.log(prior[k])
        guess = np.eye(K)[(np.log(p[k]) - bias).argmax(1)]
        targets = np.where(guessed[k][:, None], guess, y)
        parts.append(
          network_step(
            weights[k],
            views,
            targets,
            bias,
            chosen[k],
            min(epoch / RAMP, 1),
            (drawn[0][k], drawn[1][k]),
          )
        )
        if chosen[k].any():
          mean = p[k][chosen[k]].mean(0)
          prior[k] = DECAY * prior[k] + (1 - DECAY) * mean
    history.append(len(rows) * sum(losses for losses, _ in parts))
    weights = weights - tiny_training.RATE * np.stack([g for _, g in parts])
    if number % 2:
      p = tiny_training.softmax(images @ weights)
      losses = -np.log(p[:, np.arange(N), labels])
      small = np.stack(
        [smallest_of_classes(each, labels) for each in losses], axis=1
      )
  return weights, prior, small, kept_last, num_guessed, np.array(history)


def test_it_is_the_paper_step_by_step():
  state, losses = tiny_training.train(make(), num_epochs=7)
  weights, prior, small, kept, num_guessed, want = transcription(7)
  tiny_training.close(losses, want)
  tiny_training.close(state.trained['model'], weights)
  tiny_training.close(state.trained['method'], prior)
  np.testing.assert_array_equal(state.memory.small, small)
  np.testing.assert_array_equal(state.memory.kept, kept)
  np.testing.assert_array_equal(state.memory.visits, 7)
  assert num_guessed
  assert 0 < kept.mean() < 1


P = np.array(
  [
    [[0.9, 0.1], [0.1, 0.9], [0.05, 0.95], [0.4, 0.6], [0.1, 0.9]],
    [[0.9, 0.1], [0.2, 0.8], [0.05, 0.95], [0.4, 0.6], [0.9, 0.1]],
  ]
)
EVEN = np.full((2, 2), 0.5)


@jax.jit
def one_step(prior, visits, confidence=0.7, share=1.0):
  """Losses, memory and metrics of a batch for which P is predicted."""
  method = make(confidence=confidence, guess_share=share)
  batch = {
    'image': jnp.zeros((5, 1)),
    'other_image': jnp.zeros((5, 1)),
    'label': jnp.zeros(5, int),
    'row': jnp.arange(5),
    'mask': jnp.ones(5),
  }
  _, memory = method.init(jax.random.key(0), 5, 2)
  memory = memory._replace(visits=jnp.full(5, visits))
  losses, (memory, metrics) = method.loss(
    methods.Predict(
      lambda params, images, key: jnp.tile(jnp.log(P), (1, 2, 1)),
      params=None,
      apply_each=lambda params, images, key: jnp.log(P),
    ),
    batch,
    methods.MethodState(prior, memory),
    jax.random.key(0),
  )
  return losses, memory, metrics


by_prior = jax.jit(jax.grad(lambda *given: jnp.mean(one_step(*given)[0])))


@pytest.mark.parametrize(
  ('visits', 'share', 'kept', 'guessed'),
  [
    (0, 1.0, [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]),
    (WARM_UP, 1.0, [1, 0, 0, 0, 0.5], [0, 0, 0, 0, 0]),
    (GUESS, 1.0, [1, 0, 0, 0, 0.5], [0, 1, 1, 0, 0]),
    # Room for 3 of 5, of which the networks keep 1 and 2.
    (GUESS, 0.6, [1, 0, 0, 0, 0.5], [0, 0.5, 1, 0, 0]),
    (GUESS, 0.0, [1, 0, 0, 0, 0.5], [0, 0, 0, 0, 0]),
  ],
)
def test_what_is_kept_and_guessed(visits, share, kept, guessed):
  losses, memory, metrics = one_step(EVEN, visits, 0.7, share)
  np.testing.assert_array_equal(metrics['kept'], kept)
  np.testing.assert_array_equal(metrics['guessed'], guessed)
  np.testing.assert_array_equal(memory.kept, kept)
  assert np.isfinite(losses).all()


def test_the_prior_goes_to_the_mean_prediction():
  chosen = (P[..., 0] > 0.7) | np.array([0, 1, 1, 0, 0], bool)
  want = [0.5 - P[k][chosen[k]].mean(0) for k in range(2)]
  gradient = by_prior(EVEN, GUESS, 0.7, 1.0)
  np.testing.assert_allclose(gradient, want, atol=1e-6)
  np.testing.assert_array_equal(by_prior(EVEN, 0, 0.7, 1.0), 0)


def test_nothing_is_kept():
  losses, _, _ = one_step(EVEN, WARM_UP, 0.99, 1.0)
  np.testing.assert_array_equal(losses, 0)
  np.testing.assert_array_equal(by_prior(EVEN, WARM_UP, 0.99, 1.0), 0)


def test_a_prior_of_nothing_stays_finite():
  losses, _, _ = one_step(np.eye(2), GUESS, 0.7, 1.0)
  assert np.isfinite(losses).all()


@pytest.mark.parametrize(
  ('name', 'value'),
  [
    ('select_share', 0.0),
    ('confidence', 1.0),
    ('warm_up_epochs', -1.0),
    ('ramp_epochs', -1.0),
    ('guess_epochs', -1.0),
    ('guess_share', 1.1),
    ('debias', -1.0),
    ('decay', 1.0),
    ('alpha', 0.0),
    ('confidence_penalty', -1.0),
  ],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    make(**{name: value})
