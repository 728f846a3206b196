"""config.noise: every name, real labels, files, and what is refused."""

import numpy as np
import pytest

from experiments import errors
from experiments import example_noises
from experiments import linear_classifier
from experiments import noises
from experiments.configs import common
from experiments.data import label_file
from experiments.data import source
from noisy_labels import noise

MARGIN = 'margin_dependent'  # Made of a data set, where the others need none.
INFO = source.Info('toy', 10, tuple('abcdefghij'), (2, 2, 1), {'train': 500})


def examples(start=0, stop=500):
  index = np.arange(start, stop)
  rng = np.random.default_rng(0)
  image = rng.integers(0, 256, (500, 2, 2, 1)).astype(np.uint8)
  label = (np.arange(500) % 10).astype(np.int32)
  return source.Examples(image[start:stop], label[start:stop], index)


def make(dataset='digits', seed=3, **fields):
  config = common.get_config().noise
  config.update(fields)
  return noises.make(config, INFO, dataset=dataset, seed=seed)


@pytest.mark.parametrize('name', sorted({*noises.NAMES} - {MARGIN}))
def test_labels_are_those_of_the_library_on_any_stretch(name):
  made = make(name=name, rate=0.4)
  whole = made.give(examples())
  np.testing.assert_array_equal(made.give(examples(100, 300)), whole[100:300])
  wrong = np.mean(whole != examples().label)
  assert (wrong == 0) == (name == 'none')
  if made.transition is not None:
    np.testing.assert_array_equal(
      whole, noise.corrupt(examples().label, made.transition, seed=3).labels
    )
  assert name.replace('_', ' ') in made.title or name == 'none'


def test_each_name_is_its_own_noise():
  rates = {'rate': 0.4}
  matrices = {
    name: make(name=name, **rates).transition
    for name in noises.NAMES
    if name not in ('part_dependent', MARGIN)
  }
  np.testing.assert_array_equal(matrices['none'], np.eye(10))
  np.testing.assert_array_equal(matrices['pair_flip'], noise.pair_flip(10, 0.4))
  np.testing.assert_array_equal(
    matrices['asymmetric'], noise.asymmetric(noise.class_maps.MNIST, 0.4)
  )
  np.testing.assert_array_equal(
    matrices['asymmetric_on_mutated_array'],
    noise.asymmetric_on_mutated_array(noise.class_maps.MNIST, 0.4),
  )
  np.testing.assert_array_equal(
    matrices['random_class_dependent'],
    noise.random_class_dependent(10, 0.4, seed=3),
  )


@pytest.fixture(scope='module')
def margin(data_dir):
  """Margin-dependent noise of the digits, and all of these."""
  config = common.get_config().noise
  config.update({'name': MARGIN, 'rate': 0.3, 'kind': 2})
  info = source.describe('digits', data_dir=data_dir)
  arguments = {'dataset': 'digits', 'seed': 3, 'data_dir': data_dir}
  made = noises.make(config, info, **arguments)
  return made, source.load('digits', 'train', data_dir=data_dir)


def test_margin_dependent_noise_has_the_rate_and_hits_what_is_hard(margin):
  made, digits = margin
  given = made.give(digits)
  wrong = given != digits.label
  count = len(wrong)
  assert wrong.mean() == pytest.approx(0.3, abs=3 * (0.21 / count) ** 0.5)
  classifier = linear_classifier.fit(digits.image, digits.label, 10)
  probs = linear_classifier.probabilities(classifier, digits.image)
  own = probs[np.arange(count), digits.label]
  assert own[wrong].mean() < own[~wrong].mean() - 0.05
  # A label flips to the class that comes nearest, and to no other.
  probs[np.arange(count), digits.label] = -1
  np.testing.assert_array_equal(given[wrong], probs.argmax(axis=1)[wrong])
  assert made.title == 'margin dependent noise at 30% (type 2)'
  assert made.transition is None


def test_margin_dependent_labels_of_a_stretch_are_those_of_the_whole(margin):
  made, digits = margin
  stretch = source.Examples(*(array[200:300] for array in digits))
  np.testing.assert_array_equal(made.give(stretch), made.give(digits)[200:300])


def test_a_rate_that_margins_do_not_allow_is_refused():
  label = np.arange(4).astype(np.int32) % 2
  image = np.zeros((4, 1, 2, 1), np.uint8)
  image[np.arange(4), 0, label] = 255
  image[0] = 255 - image[0]
  sure = source.Examples(image, label, np.arange(4))
  config = common.get_config().noise
  config.update({'name': MARGIN, 'rate': 1.0})
  give = example_noises.margin_dependent(config, 2, 0, lambda: sure)
  assert (give(sure) != label).all()  # Nobody is certain of anything.
  sure.image[0] = 255 - image[0]
  sure.label[:] = 0  # Now everybody is, of the only class.
  give = example_noises.margin_dependent(config, 2, 0, lambda: sure)
  with pytest.raises(errors.UsageError, match='rate must be at most 0'):
    give(sure)


def test_the_seed_of_the_noise_goes_before_that_of_the_run():
  one, other = make(seed=3), make(seed=4)
  assert (one.give(examples()) != other.give(examples())).any()
  config = common.get_config().noise
  config.seed = 3
  fixed = noises.make(config, INFO, dataset='digits', seed=4)
  np.testing.assert_array_equal(fixed.give(examples()), one.give(examples()))


@pytest.mark.parametrize(
  ('dataset', 'chosen', 'expected'),
  [
    ('mnist', None, noise.class_maps.MNIST),
    ('fashion_mnist:3.0.1', None, noise.class_maps.FASHION_MNIST),
    ('cifar10_n', None, noise.class_maps.CIFAR10),
    ('anything', 'cifar10', noise.class_maps.CIFAR10),
  ],
)
def test_class_maps(dataset, chosen, expected):
  made = make(dataset, name='asymmetric', rate=0.2, class_map=chosen)
  np.testing.assert_array_equal(
    made.transition, noise.asymmetric(expected, 0.2)
  )


@pytest.mark.parametrize('ending', ['csv', 'npy'])
def test_labels_of_a_file(tmp_path, ending):
  labels = make().give(examples())
  path = tmp_path / f'labels.{ending}'
  label_file.write(path, np.arange(500), labels)
  made = make(file=str(path))
  assert made.transition is None
  np.testing.assert_array_equal(made.give(examples(50, 60)), labels[50:60])


@pytest.mark.parametrize(
  ('fields', 'message'),
  [
    ({'name': 'pairflip'}, 'did you mean pair_flip'),
    ({'name': 'pair_flip', 'rate': 1.2}, r'rate must be in \[0, 1\], got 1\.2'),
    ({'name': 'part_dependent', 'rate': -1.0}, 'rate must be in'),
    ({'name': MARGIN, 'rate': 1.5}, 'rate must be in'),
    ({'name': MARGIN, 'kind': 4}, 'kind must be 1, 2 or 3, got 4'),
    ({'name': 'asymmetric', 'class_map': 'cifar100'}, 'for each of 10'),
    ({'name': 'asymmetric', 'class_map': 'cifar'}, 'class_map'),
    ({'file': 'a.csv', 'column': 'worse_label'}, 'are both set'),
  ],
)
def test_what_cannot_be_meant(fields, message):
  with pytest.raises(errors.UsageError, match=message):
    make(**fields)


def test_a_data_set_without_a_map_names_the_flag():
  with pytest.raises(errors.UsageError, match=r'noise\.class_map is missing'):
    make('flowers', name='asymmetric')


def test_a_missing_file_is_named(tmp_path):
  with pytest.raises(source.DataError, match=r'none\.csv'):
    make(file=str(tmp_path / 'none.csv'))
