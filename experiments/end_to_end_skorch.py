"""Our networks in PyTorch, as skorch wraps them for scikit-learn."""

import math

import ml_collections
import skorch
from skorch import callbacks
import torch
from torch import nn

from experiments import errors

_HIDDEN = 256


class MLP(nn.Sequential):
  """`models.MLP`, of so many pixels."""

  def __init__(self, pixels: int, num_classes: int):
    super().__init__(
      nn.Linear(pixels, _HIDDEN),
      nn.ReLU(),
      nn.Linear(_HIDDEN, _HIDDEN),
      nn.ReLU(),
      nn.Linear(_HIDDEN, num_classes),
    )


class SmallCNN(nn.Sequential):
  """`models.SmallCNN`, of square images with so many grey pixels."""

  def __init__(self, pixels: int, num_classes: int):
    side = math.isqrt(pixels)
    super().__init__(
      nn.Unflatten(1, (1, side, side)),
      nn.Conv2d(1, 32, 3, padding='same'),
      nn.ReLU(),
      nn.Conv2d(32, 64, 3, padding='same'),
      nn.ReLU(),
      nn.MaxPool2d(2),
      nn.Flatten(),
      nn.Linear(64 * (side // 2) ** 2, 128),
      nn.ReLU(),
      nn.Linear(128, num_classes),
    )


MODULES = {'mlp': MLP, 'small_cnn': SmallCNN}


def classifier(
  config: ml_collections.ConfigDict, pixels: int, num_classes: int
) -> skorch.NeuralNetClassifier:
  """What trains as our runs do: as many epochs of Adam, with a cosine.

  Args:
    config: of our run.
    pixels: of an image, whose rows are flat.
    num_classes: K.

  Returns:
    The classifier, not fitted yet.

  Raises:
    UsageError: if there is no such network here.
  """
  errors.check_name('config.model.name', config.model.name, MODULES)
  torch.manual_seed(config.seed)
  schedule = callbacks.LRScheduler(
    torch.optim.lr_scheduler.CosineAnnealingLR, T_max=config.epochs
  )
  return skorch.NeuralNetClassifier(
    MODULES[config.model.name],
    module__pixels=pixels,
    module__num_classes=num_classes,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=config.optimizer.learning_rate,
    max_epochs=config.epochs,
    batch_size=config.batch_size,
    iterator_train__shuffle=True,
    train_split=None,
    callbacks=[('schedule', schedule)],
    verbose=0,
  )
