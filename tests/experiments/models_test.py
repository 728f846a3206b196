import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import devices
from experiments import models


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
@pytest.mark.parametrize('shape', [(8, 8, 1), (28, 28, 1), (32, 32, 3)])
@pytest.mark.parametrize('name', models.MODELS)
def test_every_model_gives_float32_logits_for_every_image_shape(
  name, shape, dtype
):
  model = models.MODELS[name](num_classes=7, dtype=jnp.dtype(dtype))
  images = jax.ShapeDtypeStruct((2, *shape), jnp.float32)
  key = jax.eval_shape(lambda: jax.random.key(0))
  variables = jax.eval_shape(
    lambda key, images: model.init(key, images, train=True), key, images
  )
  assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(variables))
  logits = jax.eval_shape(
    lambda variables, images: model.apply(variables, images, train=False),
    variables,
    images,
  )
  assert logits.shape == (2, 7)
  assert logits.dtype == jnp.float32


@pytest.mark.parametrize('name', models.MODELS)
def test_every_model_has_early_layers_late_ones_and_a_head(name):
  model, part_of = models.MODELS[name](num_classes=3), models.part_of(name)
  params = jax.eval_shape(
    lambda: model.init(jax.random.key(0), jnp.zeros((1, 32, 32, 3)), train=True)
  )['params']
  parts = {layer: part_of(f'model/{layer}/kernel') for layer in params}
  late = {layer for layer, part in parts.items() if part == 1}
  assert late == {*models.LATE_LAYERS[name]} < {*parts}
  assert [layer for layer, part in parts.items() if part == 2] == ['_Head_0']
  assert 0 in parts.values()


@pytest.mark.parametrize(
  ('name', 'millions'), [('resnet18', 11.17), ('resnet34', 21.28)]
)
def test_residual_networks_have_their_published_size(name, millions):
  # He et al. 2016, as the CIFAR-10 codes of the field build them.
  model = models.MODELS[name](num_classes=10)
  variables = jax.eval_shape(
    lambda: model.init(jax.random.key(0), jnp.zeros((1, 32, 32, 3)), train=True)
  )
  count = sum(leaf.size for leaf in jax.tree.leaves(variables['params']))
  assert count / 1e6 == pytest.approx(millions, abs=0.01)


def test_batch_statistics_are_those_of_all_devices():
  model = models.PreActivationResNet(3, blocks=(1,))
  images = jax.random.normal(jax.random.key(0), (8, 8, 8, 1))
  variables = model.init(jax.random.key(1), images, train=True)

  def apply(images):
    return model.apply(variables, images, train=True, mutable=['batch_stats'])

  def mapped(images):
    run = jax.vmap(apply, axis_name=devices.AXIS, out_axes=(0, None))
    return run(images)

  logits, state = mapped(images[None])
  split_logits, split_state = mapped(images.reshape(4, 2, 8, 8, 1))
  np.testing.assert_allclose(
    logits[0], split_logits.reshape(8, 3), rtol=1e-4, atol=1e-5
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
    state,
    split_state,
  )
