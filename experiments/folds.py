"""Cross-validation in one run: several models, each blind to its own fold.

All models are trained by the same steps on the same batches; a fold's model
does not hear the labels of its fold. So each has predictions for examples whose
labels it has not seen, and one run gives such predictions for all examples.
(The images of a fold do take part in batch statistics, and in nothing else.)
"""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from noisy_labels import methods
from noisy_labels import noise

# Apart from those of `data/lanes.py`, which count up from 1.
_STREAM = 2**30


class Stack(NamedTuple):
  """Models of one architecture, their parameters stacked on a leading axis.

  To be called as a module is; logits are `[size, batch, num_classes]`.

  Attributes:
    model: the architecture.
    size: how many there are.
  """

  model: Any
  size: int

  def init(self, key: jax.Array, images: jax.Array, *, train: bool) -> Any:
    """Initialises every model with another key."""
    keys = jax.random.split(key, self.size)
    return jax.vmap(lambda key: self.model.init(key, images, train=train))(keys)

  def apply(
    self,
    variables: Any,
    images: jax.Array,
    *,
    train: bool,
    mutable: Any = False,
    own_images: bool = False,
  ) -> Any:
    """Applies every model to all images, or to its own `[size, batch, ...]`."""

    def run(variables, images):
      return self.model.apply(variables, images, train=train, mutable=mutable)

    # A convolution vmapped over its filters becomes a grouped one, which a CPU
    # does several times slower than one after the other.
    if jax.default_backend() != 'cpu':
      return jax.vmap(run, (0, 0 if own_images else None))(variables, images)
    each = [
      run(
        jax.tree.map(lambda leaf, i=i: leaf[i], variables),
        images[i] if own_images else images,
      )
      for i in range(self.size)
    ]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)


def mean(logits: jax.Array, index: jax.Array) -> jax.Array:
  """What to measure several networks by: the mean of their probabilities.

  Args:
    logits: `[size, batch, num_classes]`.
    index: not looked at.

  Returns:
    Its logarithm, `[batch, num_classes]`.
  """
  del index
  log_probs = jax.nn.log_softmax(logits)
  return jax.nn.logsumexp(log_probs, axis=0) - jnp.log(len(logits))


def assign(num_examples: int, num_folds: int, *, seed: int) -> np.ndarray:
  """The fold of each example, int32 `[N]`: random, and equally many in each."""
  uniform = noise.uniform(seed, np.arange(num_examples), stream=_STREAM)
  order = np.argsort(uniform, kind='stable')
  folds = np.empty(num_examples, np.int32)
  folds[order] = np.arange(num_examples) % num_folds
  return folds


def blind(
  loss: Callable[[jax.Array, jax.Array], jax.Array], folds: np.ndarray
) -> methods.Method:
  """The method that trains a `Stack` so: the sum over the models that may hear.

  Args:
    loss: `(logits, labels) -> losses`.
    folds: the fold of each example, by index, `[N]`.

  Returns:
    A method that remembers nothing.
  """

  def total(logits, labels, index):
    each = jax.vmap(loss, (0, None))(logits, labels)
    own = jnp.asarray(folds)[index]
    hears = jnp.arange(len(logits))[:, None] != own
    return jnp.sum(jnp.where(hears, each, 0), axis=0)

  def init(key, num_examples, num_classes):
    del key, num_examples, num_classes
    return methods.MethodState(params={}, memory={})

  def method_loss(predict, batch, state, key):
    logits = predict(batch['image'], key)
    return total(logits, batch['label'], batch['index']), (state.memory, {})

  return methods.Method(init, method_loss)


def held_out(
  folds: np.ndarray,
) -> Callable[[jax.Array, jax.Array], jax.Array]:
  """What to measure by: of each example, the logits of its fold's model.

  Args:
    folds: the fold of each training example, by index, `[N]`.

  Returns:
    `(logits [size, batch, num_classes], index [batch])` to `[batch,
    num_classes]`. Test examples, which no model has seen, get a model too.
  """

  def select(logits, index):
    own = jnp.take(jnp.asarray(folds), index, mode='wrap')
    return jnp.take_along_axis(logits, own[None, :, None], axis=0)[0]

  return select
