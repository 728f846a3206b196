"""From `config.noise` to given labels: made, read from a file, or human."""

from collections.abc import Callable
from typing import NamedTuple

import ml_collections
import numpy as np

from experiments import errors
from experiments import example_noises
from experiments.data import label_file
from experiments.data import source
from noisy_labels import noise

_OF_CLASSES: dict[str, Callable[..., np.ndarray]] = {
  'none': lambda config, classes, seed, name: np.eye(classes),
  'symmetric': lambda config, classes, seed, name: noise.symmetric(
    classes, config.rate, exclude_true=config.exclude_true
  ),
  'pair_flip': lambda config, classes, seed, name: noise.pair_flip(
    classes, config.rate
  ),
  'asymmetric': lambda config, classes, seed, name: noise.asymmetric(
    _class_map(config, name), config.rate
  ),
  'asymmetric_on_mutated_array': lambda config, classes, seed, name: (
    noise.asymmetric_on_mutated_array(_class_map(config, name), config.rate)
  ),
  'random_class_dependent': lambda config, classes, seed, name: (
    noise.random_class_dependent(classes, config.rate, seed=seed)
  ),
}
_OF_EXAMPLES = {
  'margin_dependent': example_noises.margin_dependent,
  'part_dependent': example_noises.part_dependent,
}
NAMES = (*sorted(_OF_CLASSES), *_OF_EXAMPLES)

CLASS_MAPS = {
  'cifar10': noise.class_maps.CIFAR10,
  'cifar100': noise.class_maps.CIFAR100,
  'cifar100_blocks': noise.class_maps.CIFAR100_BLOCKS,
  'fashion_mnist': noise.class_maps.FASHION_MNIST,
  'mnist': noise.class_maps.MNIST,
}
# Data sets that have the classes of another.
_LIKE = {
  'cifar10_n': 'cifar10',
  'cifar100_n': 'cifar100',
  'digits': 'mnist',
}


class Noise(NamedTuple):
  """Where the given labels of a run come from.

  Attributes:
    title: what it is, in words.
    transition: T[i, j] = P(given j | true i), `[K, K]`; None if it is not
      known, or is another one for each example.
    give: from a range of the training split to its given labels.
  """

  title: str
  transition: np.ndarray | None
  give: Callable[[source.Examples], np.ndarray]


def check(config: ml_collections.ConfigDict) -> None:
  """Raises a `UsageError` for what no data set can have as noise."""
  if config.file is not None and config.column is not None:
    raise errors.UsageError(
      'config.noise.file and config.noise.column are both set, and labels come '
      'from one of them: leave out the other'
    )
  if config.file is not None or config.column is not None:
    return
  errors.check_name('config.noise.name', config.name, NAMES)
  if config.class_map is not None:
    errors.check_name('config.noise.class_map', config.class_map, CLASS_MAPS)
  if not 0 <= config.rate <= 1:
    raise errors.UsageError(
      f'config.noise: rate must be in [0, 1], got {config.rate}'
    )
  if config.kind not in (1, 2, 3):
    raise errors.UsageError(
      f'config.noise: kind must be 1, 2 or 3, got {config.kind}'
    )


def has_transition(config: ml_collections.ConfigDict) -> bool:
  """Whether the noise is made, and has one matrix for all examples."""
  is_given = config.file is not None or config.column is not None
  return not is_given and config.name in _OF_CLASSES


def make(
  config: ml_collections.ConfigDict,
  info: source.Info,
  *,
  dataset: str,
  seed: int,
  data_dir: str | None = None,
  image_size: tuple[int, int] | None = None,
) -> Noise:
  """The noise that `config.noise` describes.

  Args:
    config: `config.noise` of a run.
    info: the data set's.
    dataset: its name, as `config.dataset` has it.
    seed: of the run; that of the noise if it has none of its own.
    data_dir: where TFDS keeps its data.
    image_size: height and width to resize images to.

  Returns:
    The noise.

  Raises:
    UsageError: a name is unknown, or a number out of range.
    DataError: the file, or the feature of the data set, is not as it must be.
  """
  check(config)
  if config.file is not None:
    return _of_file(config.file, info)
  if config.column is not None:
    return _of_column(config.column, dataset, data_dir)
  seed = seed if config.seed is None else config.seed
  if config.name in _OF_EXAMPLES:
    give = _OF_EXAMPLES[config.name](
      config,
      info.num_classes,
      seed,
      lambda: source.load(
        dataset, 'train', data_dir=data_dir, image_size=image_size
      ),
    )
    return Noise(describe(config), None, give)
  transition = make_transition(
    config, info.num_classes, seed=seed, dataset=dataset
  )
  if config.name == 'none':  # The same labels, without K numbers for each.
    return Noise(describe(config), transition, lambda examples: examples.label)
  return Noise(
    describe(config),
    transition,
    lambda examples: (
      noise.corrupt(
        examples.label, transition, seed=seed, index=examples.index
      ).labels
    ),
  )


def make_transition(
  config: ml_collections.ConfigDict,
  num_classes: int,
  *,
  seed: int = 0,
  dataset: str = '',
) -> np.ndarray:
  """The transition matrix of a noise that depends on the class alone."""
  errors.check_name('config.noise.name', config.name, sorted(_OF_CLASSES))
  try:
    transition = _OF_CLASSES[config.name](config, num_classes, seed, dataset)
    return noise.check_transition(transition, num_classes)
  except ValueError as error:
    raise errors.UsageError(f'config.noise: {error}') from None


def describe(config: ml_collections.ConfigDict) -> str:
  """The noise in a few words, such as 'symmetric noise at 30%'."""
  if config.file is not None:
    return f'labels of {config.file}'
  if config.column is not None:
    return f'the labels {config.column}'
  if config.name == 'none':
    return 'no noise'
  words = f'{config.name.replace("_", " ")} noise at {config.rate:.0%}'
  if config.name == 'symmetric':
    convention = 'excluding' if config.exclude_true else 'including'
    words += f' ({convention} the true class)'
  if config.name == 'margin_dependent':
    words += f' (type {config.kind})'
  return words


def _class_map(config: ml_collections.ConfigDict, dataset: str):
  base = dataset.partition('/')[0].partition(':')[0]
  name = config.class_map or _LIKE.get(base, base)
  if config.class_map is None and name not in CLASS_MAPS:
    raise errors.UsageError(
      f'config.noise.class_map is missing: {config.name} noise has no map of '
      f'its own for {base or "this data set"}; there are '
      f'{", ".join(CLASS_MAPS)}'
    )
  errors.check_name('config.noise.class_map', name, CLASS_MAPS)
  return CLASS_MAPS[name]


def _of_file(path: str, info: source.Info) -> Noise:
  labels = label_file.read(
    path,
    num_examples=info.num_examples['train'],
    num_classes=info.num_classes,
  )
  return Noise(
    f'labels of {path}', None, lambda examples: labels[examples.index]
  )


def _of_column(column: str, dataset: str, data_dir: str | None) -> Noise:
  def give(examples):
    start = int(examples.index[0])
    return source.load_labels(
      dataset,
      'train',
      column,
      data_dir=data_dir,
      start=start,
      stop=start + len(examples.index),
    )

  return Noise(f'the labels {column}', None, give)
