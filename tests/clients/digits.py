"""What the client programs share: wrong labels, and the line that differs."""

import functools

import jax.numpy as jnp
import numpy as np
import optax
from sklearn import datasets

from noisy_labels import losses
from noisy_labels import noise

STEPS = 6

# The one line that changes in a client's program: which loss it calls.
LOSSES = {
  'optax': optax.softmax_cross_entropy_with_integer_labels,
  'noisy_labels': functools.partial(
    losses.mixture_cross_entropy, noise_rate=1 / 3
  ),
}


@functools.cache
def load():
  """256 images `[256, 64]` in [0, 1], and labels of which 30% are wrong."""
  images, labels = datasets.load_digits(return_X_y=True)
  given = noise.corrupt(
    labels, noise.symmetric(10, 0.3, exclude_true=True), seed=0
  ).labels
  return images[:256].astype(np.float32) / 16, given[:256].astype(np.int32)


def split_over(num_devices, *arrays):
  """`[batch, ...]` arrays to `[devices, batch / devices, ...]`."""
  return [jnp.reshape(x, (num_devices, -1, *x.shape[1:])) for x in arrays]


def check(histories):
  """Checks that losses go down, and the same way however the step is run."""
  for name, history in histories.items():
    assert len(history) == STEPS, name
    assert np.all(np.diff(history) < 0), (name, history)
    assert history[-1] < 0.95 * history[0], (name, history)
    np.testing.assert_allclose(
      history, histories['plain'], rtol=1e-4, err_msg=name
    )
