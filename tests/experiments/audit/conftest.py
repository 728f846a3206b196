import contextlib
import io

import pytest

from experiments import progress
from experiments.audit import sources
from tests.experiments.audit import toy_audit
from tests.experiments.audit import toy_folder


@pytest.fixture(scope='session')
def photos(tmp_path_factory):
  root = toy_folder.make(tmp_path_factory.mktemp('photos') / 'shapes')
  (root / 'bars' / 'broken.png').write_text('')
  (root / 'notes.txt').write_text('')
  return sources.Request(images=root)


@pytest.fixture(scope='session')
def told(tmp_path_factory, photos):
  """A finished audit, its directory, and the lines of its progress."""
  workdir = tmp_path_factory.mktemp('audit')
  stderr = io.StringIO()
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(progress, '_SELDOM', 0)
    patch.setattr(progress, '_SHARE', 0)
    with contextlib.redirect_stderr(stderr):
      audit = toy_audit.run(workdir, photos)
  return audit, workdir, stderr.getvalue().splitlines()


@pytest.fixture(scope='session')
def finished(told):
  """A finished audit, and its directory."""
  return told[:2]
