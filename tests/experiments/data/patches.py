"""A data set that TFDS does not know, whole and with everything wrong."""

import io

import numpy as np
from PIL import Image
import tensorflow_datasets as tfds

Config = tfds.core.BuilderConfig


class Patches(tfds.core.GeneratorBasedBuilder):
  """Twelve plain images in three files; the configs are the odd cases."""

  VERSION = tfds.core.Version('1.2.0')
  BUILDER_CONFIGS = [  # noqa: RUF012
    Config(name='plain'),
    Config(name='varied'),
    Config(name='unlabeled'),
    Config(name='damaged'),
    Config(name='no_image'),
    Config(name='no_label'),
    Config(name='deep'),
  ]

  def _info(self):
    features = {
      'image': tfds.features.Image(
        shape=(None, None, 3),
        dtype=np.uint16 if self.builder_config.name == 'deep' else np.uint8,
      ),
      'label': tfds.features.ClassLabel(names=['cat', 'dog', 'owl']),
    }
    features.pop(self.builder_config.name.removeprefix('no_'), None)
    return tfds.core.DatasetInfo(
      builder=self,
      features=tfds.features.FeaturesDict(
        {'number': tfds.features.Scalar(np.int64), **features}
      ),
      disable_shuffling=True,
    )

  def _split_generators(self, dl_manager):
    return {'train': self._generate_examples()}

  def _generate_examples(self):
    name = self.builder_config.name
    for i in range(12):
      width = 6 if name == 'varied' and i == 9 else 5
      image = b'no image' if name == 'damaged' and i == 7 else patch(i, width)
      label = -1 if name == 'unlabeled' and i == 10 else i % 3
      example = {'number': i, 'image': image, 'label': label}
      yield i, {key: example[key] for key in self.info.features}


def patch(value, width):
  png = io.BytesIO()
  Image.new('RGB', (width, 4), (value, 2 * value, 255)).save(png, 'png')
  return png.getvalue()


def prepare(folder):
  """Prepares every config in `folder`, each in three files; returns it."""
  for config in Patches.BUILDER_CONFIGS:
    Patches(
      config=config.name, data_dir=str(folder), file_format='array_record'
    ).download_and_prepare(
      download_config=tfds.download.DownloadConfig(num_shards=3)
    )
  return folder
