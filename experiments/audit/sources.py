"""What is audited: a folder of images, a data set, or arrays."""

from collections.abc import Callable
import pathlib
from typing import NamedTuple

import ml_collections
import numpy as np

from experiments import errors
from experiments import noises
from experiments.audit import arrays as arrays_lib
from experiments.audit import image_folder
from experiments.audit import pictures as pictures_lib
from experiments.audit import text
from experiments.data import source


class Request(NamedTuple):
  """What the flags say is to be audited: one of `images`, `dataset`, `labels`.

  Attributes:
    images: a folder, with one sub-folder a class.
    dataset: a TFDS data set, or `digits`.
    column: the feature of it that holds the labels.
    labels: a file, as are probs and features.
    probs: see `arrays.read`.
    features: the same.
    data_dir: where TFDS keeps its data sets.
  """

  images: pathlib.Path | None = None
  dataset: str | None = None
  column: str | None = None
  labels: pathlib.Path | None = None
  probs: pathlib.Path | None = None
  features: pathlib.Path | None = None
  data_dir: str | None = None

  @property
  def kind(self) -> str:
    """Which of these it is: 'images', 'dataset' or 'arrays'."""
    if self.labels is not None:
      return 'arrays'
    return 'images' if self.images is not None else 'dataset'


class Data(NamedTuple):
  """What there is to audit.

  Attributes:
    title: of the data.
    class_names: K names.
    names: N file names; None where examples have none.
    problems: a sentence each.
    config: with what says which data a run trains on.
    data_dir: what a run is told.
    labels: given classes, int32 `[N]`.
    images: uint8 `[N, height, width, channels]`, or None.
    pictures: from rows to PNG files, or None.
    arrays: what was given instead of images, or None.
    has_test: whether there are test examples.
  """

  title: str
  class_names: tuple[str, ...]
  names: list[str] | None
  problems: list[str]
  config: ml_collections.ConfigDict
  data_dir: str | None
  labels: np.ndarray
  images: np.ndarray | None
  pictures: pictures_lib.Pictures | None
  arrays: arrays_lib.Arrays | None
  has_test: bool


def check(request: Request) -> None:
  """Raises a UsageError unless the flags say one thing."""
  chosen = [
    name
    for name in ('images', 'dataset', 'labels')
    if getattr(request, name) is not None
  ]
  if len(chosen) != 1:
    got = ' and '.join(f'--{name}' for name in chosen) or 'none of them'
    raise errors.UsageError(
      'say what to audit by one of --images=DIR, --dataset=NAME, and '
      f'--labels=FILE with --probs=FILE: got {got}; see --help'
    )
  for name, needs in (
    ('column', 'dataset'),
    ('probs', 'labels'),
    ('features', 'labels'),
  ):
    if getattr(request, name) is not None and needs not in chosen:
      raise errors.UsageError(f'--{name} goes with --{needs}, which is missing')
  if chosen == ['labels'] and request.probs is None:
    raise errors.UsageError(
      '--labels goes with --probs, which is missing: probabilities of each '
      'class, by a model that was not trained on the example'
    )


def open_data(
  request: Request,
  config: ml_collections.ConfigDict,
  workdir: pathlib.Path,
  *,
  should_stop: Callable[[], bool],
  title: str,
) -> Data:
  """Reads what is to be audited, or what an earlier command has read of it.

  Args:
    request: what it is.
    config: of the run.
    workdir: of the audit; images of a folder are prepared in it.
    should_stop: asked from time to time.
    title: of progress bars.

  Returns:
    The data.

  Raises:
    UsageError: it cannot be meant.
    RunError: it cannot be read.
    DataError: the same.
    StoppedError: should_stop said so.
  """
  config = config.copy_and_resolve_references()
  if request.labels is not None:
    return _of_arrays(request, config)
  if request.images is not None:
    return _of_folder(request.images, config, workdir, should_stop, title)
  return _of_dataset(request, config)


def _of_arrays(request: Request, config: ml_collections.ConfigDict) -> Data:
  assert request.labels is not None
  assert request.probs is not None
  given = arrays_lib.read(request.labels, request.probs, request.features)
  return Data(
    title=text.file_name(request.labels.stem),
    class_names=tuple(map(str, range(given.probs.shape[1]))),
    names=None,
    problems=[],
    config=config,
    data_dir=None,
    labels=given.labels,
    images=None,
    pictures=None,
    arrays=given,
    has_test=False,
  )


def _of_folder(root, config, workdir, should_stop, title) -> Data:
  noise = config.noise
  if noise.name != 'none' or noise.file or noise.column:
    raise errors.UsageError(
      'config.noise makes or replaces labels, and those of --images are what '
      'its folders say: leave it out'
    )
  prepared = image_folder.prepare(
    root,
    workdir / 'prepared',
    image_size=config.image_size,
    should_stop=should_stop,
    title=title,
  )
  config.dataset = image_folder.NAME
  data_dir = str(prepared.data_dir)
  examples = source.load(image_folder.NAME, 'train', data_dir=data_dir)
  return Data(
    title=text.file_name(root.resolve().name),
    class_names=prepared.class_names,
    names=[text.file_name(path) for path in prepared.paths],
    problems=prepared.problems,
    config=config,
    data_dir=data_dir,
    labels=examples.label,
    images=examples.image,
    pictures=pictures_lib.of_files(root, prepared.paths, examples.image),
    arrays=None,
    has_test=False,
  )


def _of_dataset(request: Request, config: ml_collections.ConfigDict) -> Data:
  config.dataset = request.dataset
  if request.column is not None:
    config.noise.column = request.column
  info = source.describe(config.dataset, data_dir=request.data_dir)
  if config.noise.column is not None:
    source.check_label(
      config.dataset, config.noise.column, data_dir=request.data_dir
    )
  examples = source.load(
    config.dataset,
    'train',
    data_dir=request.data_dir,
    image_size=config.image_size,
  )
  given = noises.make(
    config.noise,
    info,
    dataset=config.dataset,
    seed=config.seed,
    data_dir=request.data_dir,
    image_size=config.image_size,
  )
  title = config.dataset
  if config.noise.column is not None:
    title += f', {config.noise.column}'
  return Data(
    title=title,
    class_names=info.class_names,
    names=None,
    problems=[],
    config=config,
    data_dir=request.data_dir,
    labels=given.give(examples),
    images=examples.image,
    pictures=pictures_lib.of_arrays(examples.image),
    arrays=None,
    has_test='test' in info.num_examples,
  )
