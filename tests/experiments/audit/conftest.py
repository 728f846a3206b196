import contextlib
import io

import pytest

from experiments import progress
from experiments.audit import sources
from tests.experiments.audit import tabs
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


# Of a module alone: while it is open, its event loop runs in this thread.
@pytest.fixture(scope='module')
def browser():
  with tabs.browser() as browser:
    yield browser


@pytest.fixture
def opened(browser, tmp_path):
  """Opens findings as a page, which must not complain nor ask a network."""
  with tabs.opening(browser, tmp_path) as open_page:
    yield open_page
