import pytest

from experiments import devices


@pytest.fixture(scope='session', autouse=True)
def _own_cache(tmp_path_factory):
  # The user's cache is neither needed nor touched; children inherit this one.
  cache = tmp_path_factory.mktemp('cache')
  with pytest.MonkeyPatch.context() as patch:
    patch.setenv('NOISY_LABELS_CACHE', str(cache))
    devices.cache_compilations()
    yield


@pytest.fixture(scope='session')
def data_dir(tmp_path_factory):
  """A TFDS data directory that the session's first use fills with digits."""
  return str(tmp_path_factory.mktemp('tfds'))
