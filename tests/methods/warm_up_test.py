import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels import methods

GCE = functools.partial(losses.generalized_cross_entropy, q=0.7)
BATCH = {
  'image': jnp.array([[1.0, 2.0, 0.0], [0.0, 3.0, 1.0]]),
  'label': jnp.array([0, 2]),
  'row': jnp.array([3, 1]),
  'mask': jnp.ones(2),
}


def _predict(images, key):
  del key
  return 2 * images


def _ratios(method, epochs):
  """How much of the method is in the loss, epoch by epoch."""
  state = method.init(jax.random.key(0), 5, 3)
  logits = _predict(BATCH['image'], None)
  first = losses.cross_entropy(logits, BATCH['label'])
  then = GCE(logits, BATCH['label'])
  ratios = []
  for _ in range(epochs):
    values, (memory, _) = method.loss(_predict, BATCH, state, jax.random.key(1))
    state = state._replace(memory=memory)
    ratios.append((values - first) / (then - first))
  np.testing.assert_array_equal(state.memory.visits, [0, epochs, 0, epochs, 0])
  return np.array(ratios)


def test_it_begins_with_cross_entropy_and_goes_over():
  plain = methods.stateless(GCE)
  sudden = methods.warm_up(plain, epochs=2)
  gradual = methods.warm_up(plain, epochs=1, ramp_epochs=4)
  np.testing.assert_allclose(
    _ratios(sudden, 4), [[0, 0], [0, 0], [1, 1], [1, 1]], atol=1e-5
  )
  np.testing.assert_allclose(
    _ratios(gradual, 7).mean(1), [0, 0, 0.25, 0.5, 0.75, 1, 1], atol=1e-5
  )


def test_the_method_keeps_its_own_memory():
  def init(key, num_examples, num_classes):
    del key, num_classes
    return methods.MethodState({}, jnp.zeros(num_examples))

  def loss(predict, batch, state, key):
    values = GCE(predict(batch['image'], key), batch['label'])
    memory = state.memory.at[batch['row']].set(values)
    return values, (memory, {'seen': values})

  method = methods.warm_up(methods.Method(init, loss), epochs=3)
  state = method.init(jax.random.key(0), 5, 3)
  _, (memory, metrics) = method.loss(_predict, BATCH, state, jax.random.key(1))
  np.testing.assert_array_equal(memory.inner[BATCH['row']], metrics['seen'])


def test_the_method_keeps_its_opinion():
  inner = methods.truncated_pruning()
  method = methods.warm_up(inner, epochs=3)
  memory = method.init(jax.random.key(0), 5, 3).memory
  kept = jnp.array([True, False, True, True, False])
  memory = memory._replace(inner=memory.inner._replace(kept=kept))
  labels = jnp.zeros(5, int)
  np.testing.assert_array_equal(method.opinion(memory, labels)['kept'], kept)
  assert methods.warm_up(methods.stateless(GCE), epochs=1).opinion is None


def test_no_gradient_of_the_method_is_felt_before_its_time():
  method = methods.warm_up(methods.stateless(GCE), epochs=1)
  state = method.init(jax.random.key(0), 5, 3)

  def total(scale):
    values, _ = method.loss(
      lambda images, key: scale * images, BATCH, state, jax.random.key(1)
    )
    return jnp.sum(values)

  def plain(scale):
    logits = scale * BATCH['image']
    return jnp.sum(losses.cross_entropy(logits, BATCH['label']))

  np.testing.assert_allclose(
    jax.grad(total)(2.0), jax.grad(plain)(2.0), rtol=1e-6
  )


@pytest.mark.parametrize('name', ['epochs', 'ramp_epochs'])
def test_negative_epochs_are_refused(name):
  with pytest.raises(ValueError, match=name):
    methods.warm_up(methods.stateless(GCE), **{'epochs': 1.0, name: -1.0})


@pytest.mark.parametrize('epochs', [0, 1])
def test_what_does_not_count_may_be_infinite(epochs):
  """A label that the model rules out costs T-Revision nothing."""
  revision = methods.transition_revision(transition=np.eye(3) * 0.7 + 0.1)
  method = methods.warm_up(revision, epochs=epochs)
  logits = BATCH['image'].at[0, 0].set(-jnp.inf)
  state = method.init(jax.random.key(0), 5, 3)
  losses, _ = method.loss(
    _predict, {**BATCH, 'image': logits}, state, jax.random.key(1)
  )
  assert losses[0] == (jnp.inf if epochs else 0)
  assert np.isfinite(losses[1])


def test_what_mixes_images_is_refused():
  for method in (
    methods.early_learning_regularization_plus(),
    methods.mixup(methods.stateless(GCE), alpha=1.0),
    methods.track_margins(methods.mixup(methods.stateless(GCE), alpha=1.0)),
  ):
    with pytest.raises(ValueError, match='put mixup around warm_up'):
      methods.warm_up(method, epochs=1)


def test_two_views_are_refused():
  with pytest.raises(ValueError, match='warm_up takes a method that'):
    methods.warm_up(methods.pro_mix(), epochs=1.0)
