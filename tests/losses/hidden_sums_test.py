import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from noisy_labels import losses
from noisy_labels.losses import hidden_sums

LOSSES = {
  'cross_entropy': {},
  'smoothed_cross_entropy': {'smoothing': 0.1},
  'mixture_cross_entropy': {'noise_rate': 0.3},
  'asymmetric_mean_square_error': {'a': 2.0},
  'soft_bootstrapped_cross_entropy': {'beta': 0.95},
  'normalized_focal_loss': {'gamma': 0.5},
}


def weighted(logits, weights):
  return jnp.exp(logits.astype(weights.dtype)) * weights[..., None]


@pytest.mark.parametrize('num_classes', [3, 48, 49])
@pytest.mark.parametrize('leading', [(), (5,), (2, 3)])
def test_rows_cut_in_parts_have_the_same_sum(num_classes, leading, monkeypatch):
  monkeypatch.setattr(hidden_sums, '_LONG', 4)
  keys = jax.random.split(jax.random.key(0))
  logits = jax.random.normal(keys[0], (*leading, num_classes), jnp.bfloat16)
  weights = jax.random.normal(keys[1], leading)
  actual = hidden_sums.hidden_sum(weighted, logits, weights)
  exps = np.exp(np.asarray(logits, np.float64)).sum(-1)
  np.testing.assert_allclose(actual, exps * np.asarray(weights), rtol=1e-5)


@pytest.mark.parametrize(
  ('num_classes', 'parts'),
  [(10, 1), (2**15, 1), (2**15 + 2, 2), (128_256, 4), (128_255, 1)],
)
def test_number_of_parts(num_classes, parts):
  assert hidden_sums._num_parts(num_classes) == parts


@pytest.mark.parametrize('name', LOSSES)
def test_a_loss_of_many_logits_is_that_of_few(name, monkeypatch):
  logits = 3 * jax.random.normal(jax.random.key(0), (6, 48), jnp.bfloat16)
  logits = logits.at[0, :5].set(-jnp.inf)
  labels = jnp.arange(6) + 5

  def total(logits):
    return getattr(losses, name)(logits, labels, **LOSSES[name]).sum()

  derivatives = jax.value_and_grad(total)
  few = derivatives(logits)
  monkeypatch.setattr(hidden_sums, 'MANY', 1)
  monkeypatch.setattr(hidden_sums, '_LONG', 4)
  many = jax.jit(jax.value_and_grad(lambda logits: total(logits)))(logits)
  chex.assert_trees_all_close(many[0], few[0], rtol=1e-5)
  # One step of bfloat16: what is summed in another order may round elsewhere.
  chex.assert_trees_all_close(
    many[1].astype(jnp.float32), few[1].astype(jnp.float32), rtol=2**-7
  )


@pytest.mark.parametrize('name', LOSSES)
def test_second_derivatives_of_many_are_those_of_few(name, monkeypatch):
  logits = jax.random.normal(jax.random.key(0), (2, 6))
  logits, labels = logits.astype(jnp.bfloat16), jnp.arange(2)
  direction = jax.random.normal(jax.random.key(1), logits.shape)

  # Of the gradient's length: a product, in float32, of what bfloat16 rounded.
  def along(logits):
    def total(logits):
      return getattr(losses, name)(logits, labels, **LOSSES[name]).sum()

    return jnp.sum(jax.grad(total)(logits).astype(jnp.float32) * direction)

  few = jax.grad(along)(logits)
  monkeypatch.setattr(hidden_sums, 'MANY', 1)
  monkeypatch.setattr(hidden_sums, '_LONG', 3)
  many = jax.grad(along)(logits)
  assert jnp.any(few != 0)
  np.testing.assert_allclose(
    many.astype(jnp.float32), few.astype(jnp.float32), rtol=2**-6, atol=1e-3
  )


@pytest.mark.parametrize('kind', ['Auto', 'Explicit'])
def test_sharded_logits_are_as_those_of_one_device(kind, monkeypatch):
  monkeypatch.setattr(hidden_sums, 'MANY', 1)
  monkeypatch.setattr(hidden_sums, '_LONG', 4)
  logits = jax.random.normal(jax.random.key(0), (8, 16), jnp.bfloat16)
  labels = jnp.arange(8)

  @jax.jit
  def gradient(logits, labels):
    return jax.grad(lambda z: losses.cross_entropy(z, labels).sum())(logits)

  alone = gradient(logits, labels)
  axes = (getattr(jax.sharding.AxisType, kind),)
  mesh = jax.make_mesh((4,), ('data',), axis_types=axes)
  spread = jax.NamedSharding(mesh, jax.P('data'))
  with jax.set_mesh(mesh):
    sharded = gradient(*jax.device_put((logits, labels), spread))
  assert sharded.sharding.is_equivalent_to(spread, logits.ndim)
  np.testing.assert_array_equal(sharded, alone)
