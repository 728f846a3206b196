"""DivideMix against the paper's algorithm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import methods
from noisy_labels.methods import mixing
from tests.methods import tiny_training

N, K = tiny_training.NUM_EXAMPLES, tiny_training.NUM_CLASSES
SETTINGS = {
  'warm_up_epochs': 2.0,
  'unlabelled_weight': 5.0,
  'ramp_epochs': 3.0,
  'threshold': 0.7,
  'temperature': 0.6,
  'alpha': 3.0,
  'confidence_penalty': 0.3,
}


def make(**changes):
  return methods.divide_mix(**{**SETTINGS, **changes})


@jax.jit
def draw(key):
  _, _, ratio_key, order_key = jax.random.split(key, 4)
  ratio = mixing.ratio(ratio_key, SETTINGS['alpha'])
  return ratio, mixing.partners(order_key, jnp.ones(12, bool))


def draws(number):
  """The ratio and the partners of a step: what is random is not transcribed."""
  with jax.enable_x64(True):
    ratio, partners = draw(jax.random.fold_in(jax.random.key(9), number))
    return float(ratio), np.asarray(partners)


def densities(x, shares):
  """Of the components that have these shares of x, times their weights."""
  sizes = shares.sum(1, keepdims=True)
  means = (shares * x).sum(1, keepdims=True) / sizes
  variances = (shares * (x - means) ** 2).sum(1, keepdims=True) / sizes + 5e-4
  normal = np.exp(-((x - means) ** 2) / (2 * variances))
  return sizes / len(x) * normal / np.sqrt(2 * np.pi * variances), means[:, 0]


def clean_probability(losses):
  """EM as the official code has it from scikit-learn, but for its start."""
  x = (losses - losses.min()) / (losses.max() - losses.min())
  boundary = x.mean()
  for _ in range(30):
    boundary = (x[x <= boundary].mean() + x[x > boundary].mean()) / 2
  shares, last = np.stack([x <= boundary, x > boundary]).astype(float), -np.inf
  for _ in range(10):
    density, _ = densities(x, shares)
    shares, likelihood = density / density.sum(0), np.log(density.sum(0)).mean()
    if abs(likelihood - last) < 1e-2:
      break
    last = likelihood
  density, means = densities(x, shares)
  return (density / density.sum(0))[means.argmin()]


def warm_up(weights, images, y):
  """Cross entropy of both views, and the confidence penalty, and gradients."""
  p = tiny_training.softmax(images @ weights)
  entropy = (p * np.log(p)).sum(1)
  losses = -np.log((p * y).sum(1)) + SETTINGS['confidence_penalty'] * entropy
  by_entropy = p * (np.log(p) - entropy[:, None])
  by_logits = p - y + SETTINGS['confidence_penalty'] * by_entropy
  return losses / len(y), by_logits / len(y)


def targets_of(k, probs, y, w):
  """Algorithm 1, lines 13 to 22, of one network; probs `[2, 2 views, n, K]`."""
  targets = []
  for n in range(len(y)):
    if w[n] > SETTINGS['threshold']:
      t = w[n] * y[n] + (1 - w[n]) * (probs[k, 0, n] + probs[k, 1, n]) / 2
    else:
      t = (
        probs[0, 0, n] + probs[0, 1, n] + probs[1, 0, n] + probs[1, 1, n]
      ) / 4
    t = t ** (1 / SETTINGS['temperature'])
    targets.append(t / t.sum())
  return np.array(targets * 2)


def mixing_step(weights, images, targets, labelled, strength):
  """L_X, L_U and the regulariser, of both views, and their gradients."""
  p = tiny_training.softmax(images @ weights)
  size = len(p)
  losses, by_logits = np.zeros(size), np.zeros_like(p)
  for n in range(size):
    if labelled[n]:
      losses[n] = -(targets[n] * np.log(p[n])).sum() / labelled.sum()
      by_logits[n] = (p[n] - targets[n]) / labelled.sum()
    else:
      scale = strength / K / (~labelled).sum()
      error = p[n] - targets[n]
      losses[n] = scale * (error**2).sum()
      by_logits[n] = scale * 2 * p[n] * (error - (error * p[n]).sum())
  mean = p.mean(0)
  losses += (np.log(1 / K / mean) / K).sum() / size
  by_mean = -1 / K / mean
  by_p = by_mean[None] / size
  by_logits += p * (by_p - (by_p * p).sum(1, keepdims=True))
  return losses, by_logits


def transcription(num_epochs):
  images, labels = tiny_training.examples()
  other = images + 0.1 * images[:, ::-1]
  weights, history = tiny_training.initial_weights(2), []
  clean = np.ones((N, 2))
  for number, rows in enumerate(tiny_training.schedule(num_epochs)):
    epoch = number // 2
    y = np.eye(K)[labels[rows]]
    views = np.concatenate([images[rows], other[rows]])
    probs = tiny_training.softmax(views @ weights).reshape(2, 2, len(rows), K)
    ratio, partners = draws(number)
    mixed = ratio * views + (1 - ratio) * views[partners]
    strength = SETTINGS['unlabelled_weight'] * min(1, (epoch - 2) / 3)
    new, total = [], np.zeros(len(views))
    for k in range(2):
      if epoch < 2:
        shown, parts = views, warm_up(weights[k], views, np.tile(y, (2, 1)))
      else:
        w = clean[rows, 1 - k]
        t = targets_of(k, probs, y, w)
        t = ratio * t + (1 - ratio) * t[partners]
        labelled = np.tile(w > SETTINGS['threshold'], 2)
        shown = mixed
        parts = mixing_step(weights[k], mixed, t, labelled, strength)
      total += parts[0]
      new.append(weights[k] - tiny_training.RATE * shown.T @ parts[1])
    weights = np.stack(new)
    history.append(len(rows) * total.reshape(2, -1).sum(0))
    if number % 2:
      p = tiny_training.softmax(images @ weights)
      losses = -np.log(p[:, np.arange(N), labels])
      clean = np.stack([clean_probability(each) for each in losses], axis=1)
  return weights, clean, np.array(history)


def test_it_is_the_paper_step_by_step():
  state, losses = tiny_training.train(make(), num_epochs=7)
  weights, clean, want = transcription(7)
  tiny_training.close(losses, want)
  tiny_training.close(state.trained['model'], weights)
  tiny_training.close(state.memory.clean, clean)
  np.testing.assert_array_equal(state.memory.visits, 7)
  assert 0 < (clean > SETTINGS['threshold']).mean() < 1


@jax.jit
def one_step(clean, visits, batch):
  """Losses, metrics and what was shown, of a batch of everything."""
  method = make(confidence_penalty=0.0)
  memory = method.init(jax.random.key(0), N, K).memory._replace(
    visits=jnp.full(N, visits), clean=clean
  )
  weights = jnp.asarray(tiny_training.initial_weights(2), float)
  shown = []

  def predict(images, key):
    shown.append(images)
    return images @ weights

  losses, (_, metrics) = method.loss(
    predict, batch, methods.MethodState({}, memory), jax.random.key(0)
  )
  return losses, metrics, shown


def everything(**changes):
  return tiny_training.batch_of(np.arange(N), **changes)


def test_each_network_hears_what_the_other_trusts():
  clean = np.ones((N, 2), np.float32)
  clean[:4, 0] = 0
  batch = everything()
  # A ratio near 1, so that hardly any partner's label is heard.
  method = make(unlabelled_weight=0.0, ramp_epochs=0.0, alpha=1e-6)
  state = method.init(jax.random.key(0), N, K)
  memory = state.memory._replace(visits=jnp.full(N, 5), clean=clean)
  state = state._replace(memory=memory)

  def total(logits, label):
    def predict(images, key):
      return jnp.tile(logits, (1, 2, 1))

    changed = {**batch, 'label': label}
    return jnp.sum(method.loss(predict, changed, state, jax.random.key(0))[0])

  logits = jnp.asarray(batch['image'] @ tiny_training.initial_weights(2))
  gradient = jax.jit(jax.grad(total))
  moved = gradient(logits, batch['label']) - gradient(
    logits, (batch['label'] + 1) % K
  )
  hears = np.any(abs(moved) > 1e-6, axis=-1)
  np.testing.assert_array_equal(hears[0], True)
  np.testing.assert_array_equal(hears[1], clean[:, 0] > 0.5)


def test_mixed_images_serve_both_networks():
  _, metrics, shown = one_step(np.full((N, 2), [0.9, 0.1]), 5, everything())
  assert [len(images) for images in shown] == [2 * N, 2 * N]
  np.testing.assert_array_equal(metrics['labelled'], 0.5)


def test_a_warm_up_mixes_nothing():
  for clean in (0.0, 1.0):
    losses, metrics, shown = one_step(np.full((N, 2), clean), 0, everything())
    np.testing.assert_allclose(shown[1], shown[0], rtol=1e-6)
    np.testing.assert_array_equal(metrics['labelled'], 1)
    log_p = np.log(
      tiny_training.softmax(shown[0] @ tiny_training.initial_weights(2))
    )
    label = np.tile(everything()['label'], 2)
    each = -log_p[:, np.arange(2 * N), label].reshape(2, 2, N)
    np.testing.assert_allclose(losses, each.mean(1).sum(0), rtol=1e-5)


def test_padding_is_mixed_with_nothing():
  mask = (np.arange(N) % 3 > 0).astype(float)
  image = np.array(everything()['image'])
  image[mask == 0] = np.nan
  losses, _, shown = one_step(
    np.full((N, 2), 0.9), 5, everything(mask=mask, image=image)
  )
  real = np.tile(mask > 0, 2)
  assert np.isfinite(shown[1][real]).all()
  assert np.isfinite(losses).all()


@pytest.mark.parametrize('trusted', [0.0, 1.0])
def test_a_batch_of_one_kind(trusted):
  losses, _, _ = one_step(np.full((N, 2), trusted), 5, everything())
  assert np.isfinite(losses).all()


def test_the_mixture_tells_small_losses_from_large_ones():
  method = make()
  rng = np.random.default_rng(0)
  wrong = rng.random(200) < 0.3
  scores = rng.normal(np.where(wrong, -3, 3), 0.5, size=(2, 200))
  logits = jnp.stack([jnp.asarray(scores), jnp.zeros((2, 200))], axis=-1)
  batch = {
    'label': jnp.zeros(200, int),
    'row': jnp.arange(200),
    'mask': jnp.ones(200),
  }
  state = method.init(jax.random.key(0), 200, 2)

  @jax.jit
  def divide(logits):
    return method.on_epoch(logits, batch, state, lambda tree: tree)

  memory = divide(logits)
  np.testing.assert_array_equal(
    memory.clean < 0.5, wrong[:, None] | [False] * 2
  )
  np.testing.assert_array_equal(divide(0 * logits).clean, 1)


@pytest.mark.parametrize(
  ('name', 'value'),
  [
    ('warm_up_epochs', -1.0),
    ('unlabelled_weight', -1.0),
    ('ramp_epochs', -1.0),
    ('threshold', 1.0),
    ('temperature', 0.0),
    ('alpha', 0.0),
    ('confidence_penalty', -1.0),
  ],
)
def test_numbers_out_of_range_are_refused(name, value):
  with pytest.raises(ValueError, match=name):
    make(**{name: value})
