"""The networks, as flax.linen modules; `MODELS` names them.

Every module is called as `module.apply(variables, images, train=...)` with
float images `[batch, height, width, channels]` and returns logits
`[batch, num_classes]` in float32. Parameters are float32; `dtype` is what the
layers compute in. Batch statistics are taken over all devices.
"""

from collections.abc import Callable
import functools
from typing import Any

from flax import linen as nn
import jax
import jax.numpy as jnp

from experiments import devices

# What the PyTorch codes of the field use, whose tables we compare with.
_BatchNorm = functools.partial(
  nn.BatchNorm, momentum=0.9, epsilon=1e-5, axis_name=devices.AXIS
)


def _flatten(x: jax.Array) -> jax.Array:
  return x.reshape((x.shape[0], -1))


class _Head(nn.Module):
  """Features to float32 logits, at first the same for every class.

  A loss that gives up on improbable labels, such as a clipped one, would from
  another start lose the classes that begin with the least probability.
  """

  num_classes: int

  @nn.compact
  def __call__(self, x):
    return nn.Dense(
      self.num_classes, dtype=jnp.float32, kernel_init=nn.initializers.zeros
    )(x)


class MLP(nn.Module):
  """Two hidden layers."""

  num_classes: int
  dtype: Any = jnp.float32
  width: int = 256

  @nn.compact
  def __call__(self, x, *, train):
    x = _flatten(x)
    for _ in range(2):
      x = nn.relu(nn.Dense(self.width, dtype=self.dtype)(x))
    return _Head(self.num_classes)(x)


class LeNet5(nn.Module):
  """LeCun et al. 1998, with the ReLU and max pooling of its later copies."""

  num_classes: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, *, train):
    conv = functools.partial(nn.Conv, kernel_size=(5, 5), dtype=self.dtype)
    pool = functools.partial(nn.max_pool, window_shape=(2, 2), strides=(2, 2))
    x = pool(nn.relu(conv(6, padding='SAME')(x)))
    # Images smaller than LeNet's own would shrink to nothing.
    padding = 'VALID' if x.shape[1] > 8 else 'SAME'
    x = pool(nn.relu(conv(16, padding=padding)(x)))
    x = _flatten(x)
    for width in (120, 84):
      x = nn.relu(nn.Dense(width, dtype=self.dtype)(x))
    return _Head(self.num_classes)(x)


class SmallCNN(nn.Module):
  """Two convolutions, one pooling, one hidden layer; no normalisation."""

  num_classes: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, *, train):
    for width in (32, 64):
      x = nn.relu(nn.Conv(width, (3, 3), dtype=self.dtype)(x))
    x = _flatten(nn.max_pool(x, (2, 2), strides=(2, 2)))
    x = nn.relu(nn.Dense(128, dtype=self.dtype)(x))
    return _Head(self.num_classes)(x)


class CNN4(nn.Module):
  """Two strided convolutions and a hidden layer, for machines without a GPU."""

  num_classes: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, *, train):
    for width in (32, 64):
      conv = nn.Conv(width, (3, 3), strides=(2, 2), dtype=self.dtype)
      x = nn.relu(conv(x))
    x = nn.relu(nn.Dense(128, dtype=self.dtype)(_flatten(x)))
    return _Head(self.num_classes)(x)


class CNN8(nn.Module):
  """Six convolutions in three blocks, two dense layers (Ma et al. 2020).

  The network of the loss-only tables on CIFAR-10:
  `Normalized Loss Functions for Deep Learning with Noisy Labels
  <https://arxiv.org/abs/2006.13554>`_.
  """

  num_classes: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, x, *, train):
    norm = functools.partial(
      _BatchNorm, use_running_average=not train, dtype=self.dtype
    )
    for width in (64, 128, 196):
      for _ in range(2):
        x = nn.relu(norm()(nn.Conv(width, (3, 3), dtype=self.dtype)(x)))
      x = nn.max_pool(x, (2, 2), strides=(2, 2))
    x = nn.relu(norm()(nn.Dense(256, dtype=self.dtype)(_flatten(x))))
    return _Head(self.num_classes)(x)


class PreActivationBlock(nn.Module):
  """Norm, ReLU, convolution, twice, around a shortcut."""

  width: int
  stride: int
  conv: Callable[..., nn.Module]
  norm: Callable[..., nn.Module]

  @nn.compact
  def __call__(self, x):
    strides = (self.stride, self.stride)
    y = nn.relu(self.norm()(x))
    shortcut = x
    if self.stride != 1 or x.shape[-1] != self.width:
      shortcut = self.conv(self.width, (1, 1), strides=strides)(y)
    y = self.conv(self.width, (3, 3), strides=strides)(y)
    y = self.conv(self.width, (3, 3))(nn.relu(self.norm()(y)))
    return shortcut + y


class PreActivationResNet(nn.Module):
  """A residual network for 32x32 images, pre-activation (He et al. 2016).

  `Identity Mappings in Deep Residual Networks
  <https://arxiv.org/abs/1603.05027>`_: a 3x3 stem without pooling, four groups
  of two-convolution blocks at widths 64 to 512.
  """

  num_classes: int
  dtype: Any = jnp.float32
  blocks: tuple[int, ...] = (2, 2, 2, 2)

  @nn.compact
  def __call__(self, x, *, train):
    conv = functools.partial(nn.Conv, use_bias=False, dtype=self.dtype)
    norm = functools.partial(
      _BatchNorm, use_running_average=not train, dtype=self.dtype
    )
    x = conv(64, (3, 3))(x)
    for group, num_blocks in enumerate(self.blocks):
      for block in range(num_blocks):
        stride = 2 if group > 0 and block == 0 else 1
        x = PreActivationBlock(64 * 2**group, stride, conv, norm)(x)
    x = jnp.mean(nn.relu(norm()(x)), axis=(1, 2))
    return _Head(self.num_classes)(x)


MODELS: dict[str, Callable[..., nn.Module]] = {
  'mlp': MLP,
  'lenet5': LeNet5,
  'small_cnn': SmallCNN,
  'cnn4': CNN4,
  'cnn8': CNN8,
  'resnet18': functools.partial(PreActivationResNet, blocks=(2, 2, 2, 2)),
  'resnet34': functools.partial(PreActivationResNet, blocks=(3, 4, 6, 3)),
}

# The layers between the features and the head, and as far down as the last
# group of blocks, by their names in the tree of parameters.
LATE_LAYERS = {
  'mlp': ('Dense_1',),
  'lenet5': ('Dense_1',),
  'small_cnn': ('Dense_0',),
  'cnn4': ('Dense_0',),
  'cnn8': ('Dense_0', 'BatchNorm_6'),
  'resnet18': (
    *(f'PreActivationBlock_{number}' for number in range(6, 8)),
    'BatchNorm_0',
  ),
  'resnet34': (
    *(f'PreActivationBlock_{number}' for number in range(13, 16)),
    'BatchNorm_0',
  ),
}


def part_of(name: str) -> Callable[[str], int]:
  """The parts of a network that progressive early stopping tells apart.

  Args:
    name: of a network of `MODELS`.

  Returns:
    From where a parameter is, such as 'model/Dense_0/kernel', to 2 for the
    head, 1 for the layers before it, and 0 for the others.
  """

  def part(path):
    _, layer, *_ = path.split('/')
    if layer.startswith('_Head'):
      return 2
    return int(layer in LATE_LAYERS[name])

  return part
