"""What `config.loss` can say, and how it is refused."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import errors
from experiments import loss_fields
from experiments import named_losses
from experiments.configs import common
from noisy_labels import losses

TRANSITION = np.array([[0.7, 0.2, 0.1], [0.0, 0.9, 0.1], [0.3, 0.3, 0.4]])
COUNTS = 10 * TRANSITION
LOGITS = jnp.array([[1.0, 2.0, 3.0], [0.5, -1.0, 4.0]])
LABELS = jnp.array([1, 2])


def _make(**fields):
  config = common.get_config()
  config.loss.update(fields)
  known = named_losses.facts(TRANSITION, COUNTS)
  return named_losses.make(config.loss, known)


def test_a_loss_has_its_hyper_parameters():
  np.testing.assert_array_equal(
    _make(name='mixture_cross_entropy', noise_rate=0.25)(LOGITS, LABELS),
    losses.mixture_cross_entropy(LOGITS, LABELS, noise_rate=0.25),
  )


def test_the_run_fills_in_what_it_knows():
  np.testing.assert_array_equal(
    _make(name='forward_corrected_cross_entropy')(LOGITS, LABELS),
    losses.forward_corrected_cross_entropy(
      LOGITS, LABELS, transition=jnp.float32(TRANSITION)
    ),
  )
  known = named_losses.facts(TRANSITION, COUNTS)
  np.testing.assert_allclose(
    known['noise_prior'], COUNTS.sum(0) / COUNTS.sum(), rtol=1e-6
  )


def test_every_loss_can_be_named():
  every = {*losses.PER_EXAMPLE, *losses.OF_BATCHES}
  made_of_others = {'active_passive', 'backward_corrected'}
  assert {*loss_fields.names()} == every | made_of_others


@pytest.mark.parametrize('name', loss_fields.names())
def test_config_has_a_field_for_every_hyper_parameter(name):
  config = common.get_config()
  for parameter in loss_fields.parameters(name).values():
    assert config.loss[parameter.name] is None


def test_hyper_parameters_of_one_name_are_of_one_kind():
  kinds = {}
  for name in loss_fields.names():
    for parameter in loss_fields.parameters(name).values():
      kinds.setdefault(parameter.name, set()).add(loss_fields.kind(parameter))
  assert all(len(kind) == 1 for kind in kinds.values()), kinds


def test_active_and_passive_losses_are_added():
  loss = _make(
    name='active_passive',
    active='normalized_focal_loss',
    passive='reverse_cross_entropy',
    alpha=2.0,
    beta=3.0,
    gamma=0.5,
    log_zero=-4.0,
  )
  expected = 2 * losses.normalized_focal_loss(LOGITS, LABELS, gamma=0.5)
  expected += 3 * losses.reverse_cross_entropy(LOGITS, LABELS, log_zero=-4.0)
  np.testing.assert_allclose(loss(LOGITS, LABELS), expected, rtol=1e-6)


def test_backward_correction_takes_the_base_and_its_hyper_parameters():
  loss = _make(
    name='backward_corrected', base='generalized_cross_entropy', q=0.7
  )
  of_class = jnp.stack(
    [
      losses.generalized_cross_entropy(LOGITS, jnp.full(2, k), q=0.7)
      for k in range(3)
    ],
    axis=-1,
  )
  expected = np.linalg.inv(TRANSITION)[LABELS] * of_class
  np.testing.assert_allclose(loss(LOGITS, LABELS), expected.sum(-1), rtol=1e-4)


def test_margin_and_clipping_wrap_any_loss():
  plain = functools.partial(losses.mixture_cross_entropy, noise_rate=0.3)
  loss = _make(name='mixture_cross_entropy', noise_rate=0.3, max_logit_norm=1.0)
  np.testing.assert_allclose(
    loss(LOGITS, LABELS),
    plain(losses.clip_logits(LOGITS, max_norm=1.0), LABELS),
    rtol=1e-6,
  )
  loss = _make(name='mixture_cross_entropy', noise_rate=0.3, margin=2.0)
  np.testing.assert_allclose(
    loss(LOGITS, LABELS),
    losses.with_margin(plain, margin=2.0)(LOGITS, LABELS),
    rtol=1e-6,
  )


def test_a_loss_of_batches_becomes_a_method_that_gives_it_keys():
  config = common.get_config()
  config.loss.update(name='peer_loss', alpha=1.0)
  known = named_losses.facts(TRANSITION, COUNTS)
  method = named_losses.make_method(config.loss, known)
  state = method.init(jax.random.key(0), 2, 3)
  batch = {'image': LOGITS, 'label': LABELS, 'mask': jnp.ones(2)}
  values, _ = method.loss(
    lambda images, key: images, batch, state, jax.random.key(1)
  )
  assert values.shape == (2,)


def _of_views(**fields):
  config = common.get_config()
  config.loss.update(
    name='generalized_jensen_shannon', weights=(0.5, 0.3, 0.2), **fields
  )
  known = named_losses.facts(TRANSITION, COUNTS)
  return named_losses.make_method(config.loss, known)


def test_a_loss_of_views_becomes_a_method_of_two():
  method = _of_views(max_logit_norm=1.0)
  assert method.two_views
  batch = {
    'image': LOGITS,
    'other_image': LOGITS[:, ::-1],
    'label': LABELS,
    'mask': jnp.ones(2),
  }
  values, _ = method.loss(
    lambda images, key: images,
    batch,
    method.init(jax.random.key(0), 2, 3),
    jax.random.key(1),
  )
  views = losses.clip_logits(jnp.stack([LOGITS, LOGITS[:, ::-1]]), max_norm=1.0)
  np.testing.assert_allclose(
    values,
    losses.generalized_jensen_shannon(views, LABELS, weights=(0.5, 0.3, 0.2)),
    rtol=1e-6,
  )


def test_a_loss_of_views_has_no_warm_up():
  with pytest.raises(errors.UsageError, match=r'config\.loss: warm_up takes'):
    _of_views(warm_up_epochs=1.0)


def test_cross_entropy_comes_first_where_it_should():
  config = common.get_config()
  config.loss.update(
    name='mean_absolute_error', warm_up_epochs=1.0, ramp_epochs=2.0
  )
  known = named_losses.facts(TRANSITION, COUNTS)
  method = named_losses.make_method(config.loss, known)
  state = method.init(jax.random.key(0), 2, 3)
  batch = {
    'image': LOGITS,
    'label': LABELS,
    'row': jnp.arange(2),
    'mask': jnp.ones(2),
  }
  values, _ = method.loss(
    lambda images, key: images, batch, state, jax.random.key(1)
  )
  np.testing.assert_array_equal(values, losses.cross_entropy(LOGITS, LABELS))
  config.loss.ramp_epochs = -1.0
  with pytest.raises(errors.UsageError, match='ramp_epochs must be in'):
    named_losses.make_method(config.loss, known)


@pytest.mark.parametrize(
  ('fields', 'message'),
  [
    (
      {'name': 'mixture_cros_entropy'},
      r"config.loss.name='mixture_cros_entropy' is unknown; did you mean "
      'mixture_cross_entropy',
    ),
    ({'name': 'mixture_cross_entropy'}, 'noise_rate is missing.*=NUMBER'),
    ({'name': 'cross_entropy', 'q': 0.7}, 'q is set, but .* takes no hyper-'),
    ({'name': 'generalized_cross_entropy', 'q': -1.0}, 'config.loss: q must'),
    ({'name': 'backward_corrected'}, 'base is missing.*base=NAME'),
    (
      {'name': 'backward_corrected', 'base': 'cross_entropi'},
      "config.loss.base='cross_entropi' is unknown; did you mean",
    ),
    (
      {'name': 'backward_corrected', 'base': 'generalized_cross_entropy'},
      'q is missing: backward_corrected of generalized_cross_entropy takes q',
    ),
    (
      {
        'name': 'active_passive',
        'active': 'normalized_cross_entropy',
        'passive': 'symmetric_cross_entropy',
      },
      'alpha is taken by both active_passive and symmetric_cross_entropy',
    ),
    ({'name': 'cross_entropy', 'base': 'cross_entropy'}, 'base is set, but'),
    ({'name': 'f_divergence_loss'}, 'divergence is missing.*=NAME'),
    (
      {'name': 'backward_corrected', 'base': 'generalized_jensen_shannon'},
      'base=.* is unknown; did you mean jensen_shannon',
    ),
    (
      {'name': 'generalized_jensen_shannon'},
      r'weights is missing.*="\(NUMBER, NUMBER, NUMBER\)"',
    ),
    (
      {'name': 'generalized_jensen_shannon', 'weights': (0.9, 0.1)},
      'are 2 numbers: set three',
    ),
    (
      {'name': 'generalized_jensen_shannon', 'weights': (0.9, 0.1, 0.1)},
      'weights must sum to 1',
    ),
    (
      {
        'name': 'generalized_jensen_shannon',
        'weights': (0.9, 0.05, 0.05),
        'margin': 1.0,
      },
      'margin is set, but generalized_jensen_shannon compares several views',
    ),
  ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(fields, message):
  with pytest.raises(errors.UsageError, match=message) as error:
    _make(**fields)
  assert '\n' not in str(error.value)
