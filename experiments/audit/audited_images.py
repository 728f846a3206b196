"""Images that were decoded as a TFDS data set, which a run trains on."""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import io
import pathlib
import shutil
from typing import Any

import tensorflow_datasets as tfds

NAME = 'audited_images'

_Examples = Callable[[], Iterator[tuple[int, dict[str, Any]]]]


class AuditedImages(tfds.core.GeneratorBasedBuilder):
  """Prepares the images; TFDS takes the data set's name from the class's."""

  VERSION = tfds.core.Version('1.0.0')

  def __init__(
    self,
    examples: _Examples,
    class_names: tuple[str, ...],
    shape: tuple[int, int, int],
    **options: Any,
  ):
    """Takes what there is to prepare, and TFDS's own options."""
    self._examples = examples
    self._class_names = class_names
    self._shape = shape
    super().__init__(**options)

  def _info(self) -> tfds.core.DatasetInfo:
    return tfds.core.DatasetInfo(
      builder=self,
      description='A folder of images, as experiments.audit has read it.',
      features=tfds.features.FeaturesDict(
        {
          'image': tfds.features.Image(
            shape=self._shape, encoding_format='png'
          ),
          'label': tfds.features.ClassLabel(names=self._class_names),
        }
      ),
      supervised_keys=('image', 'label'),
      # An example's place in the files is its place in examples.json.
      disable_shuffling=True,
    )

  def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
    del dl_manager  # There is nothing to download.
    return {'train': self._generate_examples()}

  def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
    return self._examples()


def write(
  data_dir: pathlib.Path,
  examples: _Examples,
  *,
  class_names: tuple[str, ...],
  shape: tuple[int, int, int],
) -> None:
  """Lets TFDS write, and puts it into place when it is whole.

  Args:
    data_dir: where TFDS keeps data sets. Nothing else in it is touched.
    examples: returns pairs of a number, from 0, and an example.
    class_names: K names.
    shape: height, width and channels of the images.
  """
  # Never anything that is not ours: a working directory may be anywhere.
  draft = data_dir / f'{NAME}.draft'
  for path in (draft, data_dir / NAME):
    shutil.rmtree(path, ignore_errors=True)
  draft.mkdir(parents=True)
  builder = AuditedImages(
    examples=examples,
    class_names=class_names,
    shape=shape,
    data_dir=draft,
    file_format='array_record',
  )
  tfds.disable_progress_bar()
  try:
    # What TFDS tells would name the draft.
    with contextlib.redirect_stdout(io.StringIO()):
      builder.download_and_prepare()
    (draft / NAME).rename(data_dir / NAME)
  finally:
    tfds.enable_progress_bar()
    shutil.rmtree(draft, ignore_errors=True)
