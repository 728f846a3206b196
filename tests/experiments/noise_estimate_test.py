"""Estimating the noise of a run: from predictions, and as a user starts it."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import check_config
from experiments import errors
from experiments import loop
from experiments import named_losses
from experiments import noise_bias
from experiments import noise_estimate
from experiments.configs import common
from noisy_labels import noise

K, N = 4, 3000
TRANSITION = noise.pair_flip(K, 0.3)


def problem():
  """Labels with known noise, and predictions of a model that knows enough."""
  rng = np.random.default_rng(0)
  true = rng.integers(K, size=N)
  labels = noise.corrupt(true, TRANSITION, seed=0).labels
  logits = 6 * np.eye(K)[true] + rng.normal(size=(N, K))
  clean = np.asarray(jax.nn.softmax(logits), np.float32)
  return true, labels, clean


@pytest.mark.parametrize('name', noise_estimate.NAMES)
def test_estimates_of_known_noise(name):
  true, labels, clean = problem()
  # Dual-T counts what the model predicts: of one that is sure of itself.
  of_given = ('anchor_points', 'confident_joint', 'trusted_transition')
  probs = clean @ TRANSITION if name in of_given else clean
  seen = true if name == 'trusted_transition' else labels
  found = noise_estimate.estimate(
    name, seen, np.log(probs), seed=0, reference=None
  )
  assert found.estimator == name
  np.testing.assert_allclose(found.transition.sum(axis=1), 1, rtol=1e-5)
  np.testing.assert_allclose(found.transition, TRANSITION, atol=0.08)
  np.testing.assert_allclose(found.prior, 1 / K, atol=0.05)
  wrong = np.mean(labels != true)
  assert found.rate == pytest.approx(wrong, abs=0.04)
  assert f'{found.rate:.1%}' in noise_estimate.describe(found)
  assert found.rate_bias is None
  if name == 'anchor_points':
    assert found.rate_interval is None
    return
  lower, upper = found.rate_interval
  assert lower < found.rate < upper < lower + 0.1
  lowest, highest = found.transition_interval
  assert (lowest <= found.transition + 1e-6).all()
  assert (found.transition <= highest + 1e-6).all()


# Of hard examples the confident joint finds too much noise, trusted ones too,
# and Dual-T finds it twice.
@pytest.mark.parametrize(
  'name', ['confident_joint', 'trusted_transition', 'dual_transition']
)
def test_the_interval_knows_that_the_model_errs(name):
  rng = np.random.default_rng(1)
  clean = rng.dirichlet(np.full(K, 0.15), N).astype(np.float32)
  clean = 0.98 * clean + 0.02 / K
  uniform = rng.random((N, 1))
  true = np.minimum((clean.cumsum(axis=1) < uniform).sum(axis=1), K - 1)
  labels = noise.corrupt(true, TRANSITION, seed=0).labels
  probs = np.log(clean @ TRANSITION)
  found = noise_estimate.estimate(
    name,
    true if name == 'trusted_transition' else labels,
    probs,
    seed=0,
    reference=noise_bias.reference(labels, probs, seed=0),
  )
  wrong = np.mean(labels != true)
  lower, upper = found.rate_interval
  assert found.rate > wrong + 0.02
  assert found.rate_bias == pytest.approx(found.rate - wrong, abs=0.05)
  assert lower < wrong < upper


def test_losses_are_told_of_it():
  config = common.get_config().loss
  config.name = 'mixture_cross_entropy'
  known = named_losses.facts(TRANSITION, np.eye(K), rate=0.3)
  logits, labels = jnp.zeros((1, K)).at[0, 1].set(5.0), jnp.array([0])
  told = named_losses.make(config, known)(logits, labels)
  config.noise_rate = 0.3 * K / (K - 1)
  np.testing.assert_allclose(
    told, named_losses.make(config, {'noise_prior': np.ones(K) / K})(
      logits, labels
    ),
    rtol=1e-6,
  )  # fmt: skip
  config.noise_rate = 0.9  # What is said goes before what was found.
  assert named_losses.make(config, known)(logits, labels) != told


@pytest.fixture(scope='module')
def finished(tmp_path_factory, data_dir):
  config = common.get_config()
  config.update_from_flattened_dict(
    {
      'model.name': 'mlp',
      'loss.name': 'forward_corrected_cross_entropy',
      'noise_estimate': 'confident_joint',
      'estimation.folds': 3,
      'estimation.epochs': 4,
      'epochs': 2,
      'eval_every': 2,
    }
  )
  workdir = tmp_path_factory.mktemp('estimate')
  summary = loop.run(config, workdir, data_dir=data_dir)
  return config, workdir, summary


def test_a_run_estimates_its_noise_and_tells_its_loss(finished):
  _, workdir, summary = finished
  path = workdir / 'noise_estimate/confident_joint.json'
  saved = json.loads(path.read_text())
  assert summary['noise_estimate']['rate'] == saved['rate']
  assert summary['transition'] == saved['transition']
  assert saved['rate'] == pytest.approx(0.3, abs=0.08)
  folds = workdir / 'noise_estimate/folds_cross_entropy'
  with np.load(folds / 'predictions.npz') as predictions:
    index, log_probs = predictions['index'], predictions['log_probs']
    wrong = predictions['label'] != predictions['true_label']
    top = log_probs.argmax(axis=1)
    right = np.mean(top == predictions['true_label'])
  assert (np.diff(index) > 0).all()
  np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, rtol=1e-5)
  assert right > 0.8
  assert wrong.mean() == pytest.approx(0.3, abs=0.05)
  # What was not heard cannot have been memorised.
  assert json.loads((folds / 'summary.json').read_text())['last'][
    'memorised'
  ] == pytest.approx(np.mean((1 - right) / 9), abs=0.05)


def test_an_estimate_is_not_made_twice(finished, data_dir):
  config, workdir, summary = finished
  (workdir / 'summary.json').unlink()

  def never(*args, **kwargs):
    raise AssertionError('trained again')

  found = noise_estimate.find(config, workdir, train=never, title='')
  assert found.rate == summary['noise_estimate']['rate']
  assert found.transition.shape == (10, 10)


def test_a_damaged_estimate_is_named(tmp_path):
  config = common.get_config()
  config.noise_estimate = 'hoc'
  (tmp_path / 'noise_estimate').mkdir()
  (tmp_path / 'noise_estimate/hoc.json').write_text('{"estimator": ')
  with pytest.raises(errors.RunError, match=r'hoc\.json is damaged'):
    noise_estimate.find(config, tmp_path, train=None, title='')


def test_unknown_estimators_are_named(tmp_path):
  config = common.get_config()
  config.noise_estimate = 'confident_joynt'
  with pytest.raises(errors.UsageError, match='did you mean confident_joint'):
    noise_estimate.find(config, tmp_path, train=None, title='')


@pytest.fixture(scope='module')
def corrected(tmp_path_factory, data_dir):
  config = common.get_config()
  config.update_from_flattened_dict(
    {
      'model.name': 'mlp',
      'method.name': 'gold_loss_correction',
      'noise_estimate': 'trusted_transition',
      'num_trusted': 300,
      'estimation.folds': 3,
      'estimation.epochs': 6,
      'epochs': 2,
      'eval_every': 2,
    }
  )
  workdir = tmp_path_factory.mktemp('trusted')
  summary = loop.run(config, workdir, data_dir=data_dir)
  return config, workdir, summary


def test_gold_loss_correction_is_told_the_trusted_transition(corrected):
  _, workdir, summary = corrected
  path = workdir / 'noise_estimate/trusted_transition.json'
  saved = json.loads(path.read_text())
  assert summary['transition'] == saved['transition']
  folds = workdir / 'noise_estimate/folds_cross_entropy'
  with np.load(folds / 'predictions.npz') as predictions:
    trusted = predictions['trusted_label']
    true, probs = predictions['true_label'], np.exp(predictions['log_probs'])
  known = trusted >= 0
  assert known.sum() == 300
  np.testing.assert_array_equal(trusted[known], true[known])
  # The paper's equation: mean predictions of the trusted examples alone.
  want = [probs[known & (true == i)].mean(0) for i in range(10)]
  np.testing.assert_allclose(saved['transition'], want, rtol=1e-4, atol=1e-6)
  # A batch is of all examples in turn.
  assert summary['last']['method_trusted'] == pytest.approx(
    300 / len(true), abs=0.01
  )
  lower, upper = saved['rate_interval']
  assert lower < saved['rate'] < upper


def test_trusted_transition_needs_trusted_examples(tmp_path, corrected):
  config = corrected[0].copy_and_resolve_references()
  config.num_trusted = 0
  message = r'trusted_transition needs .*: set config\.num_trusted'
  with pytest.raises(errors.UsageError, match=message):
    check_config.check(config)
  with pytest.raises(errors.UsageError, match=message):
    noise_estimate.find(config, tmp_path, train=None, title='')


def test_real_noise_must_be_estimated_for_a_loss_that_needs_it():
  config = common.get_config().loss
  config.name = 'forward_corrected_cross_entropy'
  with pytest.raises(errors.UsageError, match=r'config\.noise_estimate='):
    named_losses.make(config, named_losses.facts(None, np.eye(K)))
