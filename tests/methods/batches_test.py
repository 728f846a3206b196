import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels import losses
from noisy_labels import methods


def _against_shuffled(logits, labels, *, key):
  shuffled = jax.random.permutation(key, labels)
  return losses.cross_entropy(logits, labels) - losses.cross_entropy(
    logits, shuffled
  )


def test_the_loss_gets_a_key_that_follows_the_step():
  method = methods.of_batches(_against_shuffled)
  state = method.init(jax.random.key(0), 64, 3)
  assert not jax.tree.leaves(state)
  images = jax.random.normal(jax.random.key(1), (64, 3))
  batch = {
    'image': images,
    'label': jnp.arange(64) % 3,
    'mask': jnp.ones(64),
  }

  def losses_of(key):
    result, (memory, metrics) = method.loss(
      lambda images, key: 2 * images, batch, state, key
    )
    assert (memory, metrics) == (state.memory, {})
    return result

  one, same, other = (losses_of(jax.random.key(seed)) for seed in (2, 2, 3))
  assert one.shape == (64,)
  np.testing.assert_array_equal(one, same)
  assert not np.array_equal(one, other)


def test_padding_is_nobodys_peer():
  method = methods.of_batches(_against_shuffled)
  real = np.arange(64) % 4 > 0
  batch = {
    'image': jnp.zeros((64, 3)).at[:, 1].set(5.0),
    # Cross entropy with any label but that of padding is the same.
    'label': jnp.where(real, 0, 1),
    'mask': jnp.asarray(real, float),
  }
  losses_, _ = method.loss(
    lambda images, key: images,
    batch,
    method.init(jax.random.key(0), 64, 3),
    jax.random.key(1),
  )
  np.testing.assert_array_equal(losses_[real], 0)
