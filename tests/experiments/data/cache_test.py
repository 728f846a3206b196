import numpy as np
import pytest

from experiments.data import cache
from experiments.data import errors

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1)
LABELS = np.array([1, 0], np.int32)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
  monkeypatch.setenv('NOISY_LABELS_CACHE', str(tmp_path))
  return tmp_path / 'examples'


def fetch(key=0, make=lambda: (IMAGES, LABELS)):
  return cache.images_and_labels('some', {'key': key}, make)


def unreachable():
  raise AssertionError('made again')


def test_makes_once_and_maps_from_then_on(folder):
  for make in (lambda: (IMAGES, LABELS), unreachable):
    images, labels = fetch(make=make)
    assert isinstance(images, np.memmap)
    assert not images.flags.writeable
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)
  assert len(list(folder.iterdir())) == 1


def test_another_key_is_another_entry(folder):
  fetch()
  images, _ = fetch(key=1, make=lambda: (IMAGES + 1, LABELS))
  np.testing.assert_array_equal(images, IMAGES + 1)
  np.testing.assert_array_equal(fetch(make=unreachable)[0], IMAGES)
  assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize('error', [KeyboardInterrupt, MemoryError])
def test_interrupted_write_leaves_nothing(folder, monkeypatch, error):
  save = np.save

  def interrupted(path, array):
    save(path, array[:1])
    if path.name == 'image.npy':
      raise error

  with monkeypatch.context() as patch:
    patch.setattr(np, 'save', interrupted)
    with pytest.raises(error):
      fetch()
  assert list(folder.iterdir()) == []
  np.testing.assert_array_equal(fetch()[0], IMAGES)


def test_killed_write_is_never_read(folder):
  """What a power cut leaves: a draft that nobody cleaned up."""
  fetch()
  (entry,) = folder.iterdir()
  entry.rename(folder / 'draft-x')
  made = []
  fetch(make=lambda: (made.append(1), (IMAGES, LABELS))[1])
  assert made


@pytest.mark.parametrize('name', ['image.npy', 'label.npy'])
@pytest.mark.parametrize('size', [None, 0, 100, 140])
def test_damaged_entry_is_made_again(folder, name, size):
  fetch()
  (entry,) = folder.iterdir()
  if size is None:
    (entry / name).unlink()
  else:
    with (entry / name).open('r+b') as file:
      file.truncate(min(size, (entry / name).stat().st_size - 1))
  images, labels = fetch()
  np.testing.assert_array_equal(images, IMAGES)
  np.testing.assert_array_equal(labels, LABELS)


def test_slower_of_two_processes_keeps_what_is_there(folder):
  def overtaken():
    fetch()
    return IMAGES, LABELS

  np.testing.assert_array_equal(fetch(make=overtaken)[0], IMAGES)
  assert len(list(folder.iterdir())) == 1


def test_overtaken_between_looking_and_renaming(folder, monkeypatch):
  read = cache._read
  answers = iter([None, None])  # The entry appears only after both looks.

  def late(path):
    answer = next(answers, 'real')
    if answer is None:
      return None
    return read(path)

  fetch()
  monkeypatch.setattr(cache, '_read', late)
  np.testing.assert_array_equal(fetch()[0], IMAGES)


def test_no_images():
  images, labels = fetch(make=lambda: (IMAGES[:0], LABELS[:0]))
  assert images.shape == (0, 3, 4, 1)
  assert labels.shape == (0,)


def test_says_when_the_cache_cannot_be_written(tmp_path, monkeypatch):
  (tmp_path / 'file').touch()
  monkeypatch.setenv('NOISY_LABELS_CACHE', str(tmp_path / 'file'))
  with pytest.raises(errors.DataError, match='set NOISY_LABELS_CACHE to'):
    fetch()


def test_platform_names_the_default_place(monkeypatch):
  monkeypatch.delenv('NOISY_LABELS_CACHE')
  assert cache.directory().name == 'noisy_labels'
