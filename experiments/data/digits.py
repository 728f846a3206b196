"""scikit-learn's digits as a TFDS data set: real images without a download."""

from collections.abc import Iterator
import contextlib
import io
import os
import pathlib
import tempfile
from typing import Any

import numpy as np
from PIL import Image
import tensorflow_datasets as tfds

from experiments.data import cache
from experiments.data import errors
from noisy_labels import noise

NAME = 'digits'
_HOMEPAGE = (
  'https://archive.ics.uci.edu/dataset/80/'
  'optical+recognition+of+handwritten+digits'
)
_DESCRIPTION = """
1,797 handwritten digits in 8x8 pixels, the test part of UCI's Optical
Recognition of Handwritten Digits as scikit-learn ships it: 32x32 bitmaps whose
4x4 blocks were counted, giving 17 levels of grey. The levels 0..16 are stored
as round(level * 255 / 16). The split into 1,437 train and 360 test images is
stratified by class and fixed; it is not the original one by writer.
"""
_CITATION = """
@misc{alpaydin1998optical,
  title={Optical Recognition of Handwritten Digits},
  author={Alpaydin, Ethem and Kaynak, Cenk},
  year={1998},
  howpublished={UCI Machine Learning Repository},
  doi={10.24432/C50P49}
}
"""


class Digits(tfds.core.GeneratorBasedBuilder):
  """Prepares the digits; TFDS takes the data set's name from the class's."""

  VERSION = tfds.core.Version('1.0.0')
  RELEASE_NOTES = {'1.0.0': 'Initial release.'}  # noqa: RUF012

  def _info(self) -> tfds.core.DatasetInfo:
    return tfds.core.DatasetInfo(
      builder=self,
      description=_DESCRIPTION,
      features=tfds.features.FeaturesDict(
        {
          'image': tfds.features.Image(shape=(8, 8, 1), encoding_format='png'),
          'label': tfds.features.ClassLabel(num_classes=10),
        }
      ),
      supervised_keys=('image', 'label'),
      homepage=_HOMEPAGE,
      citation=_CITATION,
      # An example's place in the files follows from the split alone.
      disable_shuffling=True,
    )

  def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
    del dl_manager  # There is nothing to download.
    images, labels = images_and_labels()
    train, test = split(labels)
    return {
      'train': self._generate_examples(images[train], labels[train]),
      'test': self._generate_examples(images[test], labels[test]),
    }

  def _generate_examples(
    self, images: np.ndarray, labels: np.ndarray
  ) -> Iterator[tuple[int, dict[str, Any]]]:
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
      # Bytes, because TFDS asks TensorFlow to encode a numpy image.
      png = io.BytesIO()
      Image.fromarray(image).save(png, format='png')
      yield row, {'image': png.getvalue(), 'label': int(label)}


def images_and_labels() -> tuple[np.ndarray, np.ndarray]:
  """scikit-learn's digits, in its order: uint8 `[1797, 8, 8]`, `[1797]`."""
  # Imported here because it is slow, and done once in the life of a data_dir.
  from sklearn import datasets

  bunch = datasets.load_digits()
  images = np.round(bunch.images * (255 / 16)).astype(np.uint8)
  return images, bunch.target.astype(np.int32)


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Splits into train and test, `[1437]` and `[360]` places in ascending order.

  Shuffled within the classes, laid end to end, every fifth is for testing: a
  class's share is exact to one example.
  """
  order = np.lexsort((noise.uniform(0, np.arange(len(labels))), labels))
  test = np.sort(order[::5])
  train = np.setdiff1d(order, test)
  return train, test


def prepare(data_dir: str | os.PathLike[str]) -> pathlib.Path:
  """Writes the digits below `data_dir`, unless they are there.

  Args:
    data_dir: Where TFDS keeps its data sets. If it may not be written, the
      cache directory stands in for it.

  Returns:
    The data directory that holds them.

  Raises:
    DataError: If neither place can be written.
  """
  places = (pathlib.Path(data_dir), cache.directory() / 'tfds')
  for place in places:
    if _is_prepared(place):
      return place
    if _may_write(place):
      try:
        _write(place)
      except OSError as error:
        raise errors.DataError(
          f'cannot write the digits data set below {place} '
          f'({error.strerror}): make room there, or set --data_dir to another '
          'folder'
        ) from error
      return place
  raise errors.DataError(
    f'the digits data set must be written once, and neither {places[0]} nor '
    f'{places[1]} may be written: set --data_dir to a folder that may'
  )


def _folder(data_dir: pathlib.Path) -> pathlib.Path:
  return data_dir / NAME / str(Digits.VERSION)


def _is_prepared(data_dir: pathlib.Path) -> bool:
  return (_folder(data_dir) / 'dataset_info.json').exists()


def _may_write(folder: pathlib.Path) -> bool:
  folder = folder.absolute()
  while not folder.exists():
    folder = folder.parent
  # Root may write anywhere; a folder without one write bit still says no.
  marked = bool(folder.stat().st_mode & 0o222)
  return folder.is_dir() and marked and os.access(folder, os.W_OK)


def _write(data_dir: pathlib.Path) -> None:
  """Prepares in a folder of our own, then moves it into place in one step."""
  data_dir.mkdir(parents=True, exist_ok=True)
  with tempfile.TemporaryDirectory(prefix='.draft-', dir=data_dir) as draft:
    builder = Digits(data_dir=draft, file_format='array_record')
    # What TFDS tells of a fraction of a second would name the draft.
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
      builder.download_and_prepare()
    folder = _folder(data_dir)
    folder.parent.mkdir(exist_ok=True)
    try:
      os.rename(builder.data_dir, folder)
    except OSError:
      if not _is_prepared(data_dir):  # Else another process was faster.
        raise
