r"""Writes the labels that a run would be given, for another program to use.

  python -m experiments.make_labels --config.dataset=mnist \
    --config.noise.name=pair_flip --config.noise.rate=0.45 --output=labels.csv

The file, .csv or .npy, has the index and the label of every training example;
a run reads it with --config.noise.file=labels.csv. Nothing is trained.
"""

from absl import flags

from experiments import errors
from experiments import launch
from experiments import noises
from experiments.data import label_file
from experiments.data import source
from noisy_labels import noise

FLAGS = flags.FLAGS
flags.DEFINE_string('output', None, 'The file to write, .csv or .npy.')


def main() -> None:
  """Writes what the flags say."""
  config = FLAGS.config
  if FLAGS.output is None:
    raise errors.UsageError('--output is missing: --output=labels.csv')
  info = source.describe(config.dataset, data_dir=FLAGS.data_dir)
  made = noises.make(
    config.noise,
    info,
    dataset=config.dataset,
    seed=config.seed,
    data_dir=FLAGS.data_dir,
    image_size=config.image_size,
  )
  examples = source.load(
    config.dataset,
    'train',
    data_dir=FLAGS.data_dir,
    image_size=config.image_size,
  )
  given = made.give(examples)
  label_file.write(FLAGS.output, examples.index, given)
  measured = noise.measure(examples.label, given, num_classes=info.num_classes)
  print(
    f'{len(given)} labels of {info.name} with {made.title}, '
    f'{measured.rate:.2%} of them wrong: {FLAGS.output}'
  )


if __name__ == '__main__':
  launch.run(main, doc=__doc__, config='digits.py')
