import jax
import numpy as np
import pytest

from experiments import devices
from experiments import evaluate
from experiments import models
from tests.experiments import toy

PARTS = toy.parts(models.MLP(toy.NUM_CLASSES, width=16))


def _state(parts):
  """A state whose model, unlike a new one, does not say the same to all."""
  state, _ = toy.create(parts, 24)
  rng = np.random.default_rng(0)
  return jax.tree.map(
    lambda x: (
      x + 0.3 * rng.normal(size=x.shape).astype(np.float32)
      if x.dtype == np.float32
      else x
    ),
    state,
  )


STATE = _state(PARTS)


def _independent(shards):
  """The same measures in plain numpy, example by example."""
  flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), shards)
  kept = flat.mask > 0
  logits = np.asarray(
    PARTS.model.apply(
      {'params': STATE.params['model']},
      (flat.image[kept] / 255.0 - 0.5) / 0.3,
      train=False,
    ),
    np.float64,
  )
  label, true_label = flat.label[kept], flat.true_label[kept]
  log_probs = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
  loss = -log_probs[np.arange(len(label)), label]
  predicted = np.argmax(logits, axis=1)
  wrong = label != true_label
  above = loss[wrong][:, None] > loss[~wrong]
  return {
    'loss': np.mean(loss),
    'accuracy': np.mean(predicted == label),
    'memorised': np.mean((predicted == label)[wrong]),
    'detector_auroc': np.mean(above),
  }


@pytest.mark.parametrize('batch_size', [1, 5, 23, 24, 1000])
@pytest.mark.parametrize('num_devices', [1, 4])
def test_every_example_counts_once(num_devices, batch_size):
  shards = toy.shards(num_devices, 96 // num_devices)
  mask = shards.mask.copy()
  mask[-1, -3:] = 0
  shards = shards.replace(mask=mask)
  measured = evaluate.Evaluator(
    PARTS, batch_size, devices.local(jax.local_devices()[:num_devices])
  )(STATE, shards, detect=True)
  expected = _independent(shards)
  assert measured.keys() == expected.keys()
  for name, value in expected.items():
    assert measured[name] == pytest.approx(value, rel=1e-4), name


def test_padding_may_hold_anything():
  shards = toy.shards(1, 10)
  mask = shards.mask.copy()
  mask[0, 5:] = 0
  label = shards.label.copy()
  label[0, 5:] = 10**6  # Its cross entropy is NaN.
  run = evaluate.Evaluator(PARTS, 4, devices.local(jax.local_devices()[:1]))
  before = run(STATE, shards.replace(mask=mask), detect=True)
  after = run(STATE, shards.replace(mask=mask, label=label), detect=True)
  assert before == pytest.approx(after, nan_ok=True)


def test_auroc_is_the_chance_of_the_right_order():
  rng = np.random.default_rng(0)
  scores, wrong = rng.normal(size=50).round(1), rng.random(50) < 0.4
  pairs = scores[wrong][:, None] - scores[~wrong]
  expected = np.mean((pairs > 0) + 0.5 * (pairs == 0))
  assert evaluate.auroc(scores, wrong) == pytest.approx(expected)
  assert np.isnan(evaluate.auroc(scores, np.zeros(50, bool)))
  assert np.isnan(evaluate.auroc(scores, np.ones(50, bool)))


def test_ema_weights_are_what_is_measured():
  parts = PARTS._replace(ema_decay=0.5)
  state = _state(parts)
  shards = toy.shards(1, 24)
  run = evaluate.Evaluator(parts, 24, devices.local(jax.local_devices()[:1]))
  before = run(state, shards, detect=False)
  params = jax.tree.map(np.zeros_like, state.params)
  assert run(state._replace(params=params), shards, detect=False) == before
  ema = jax.tree.map(np.zeros_like, state.ema)
  after = run(state._replace(ema=ema), shards, detect=False)
  assert after['loss'] == pytest.approx(np.log(toy.NUM_CLASSES))
