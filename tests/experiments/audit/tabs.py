"""Pages in a real browser, and what a person reads off them."""

import contextlib
import csv
import shutil

import pytest

from experiments.audit import page
from tests.experiments.audit import found

_BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')


@contextlib.contextmanager
def browser():
  """Chromium; where there is none, the test is skipped."""
  sync_api = pytest.importorskip(
    'playwright.sync_api', reason='needs the package playwright'
  )
  path = next(filter(None, map(shutil.which, _BROWSERS)), None)
  if path is None:
    pytest.skip('needs Chromium on PATH')
  with sync_api.sync_playwright() as playwright:
    browser = playwright.chromium.launch(
      executable_path=path,
      args=[
        '--no-sandbox',  # Which there is none of for root.
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-gpu',
        '--no-first-run',
      ],
    )
    yield browser
    browser.close()


@contextlib.contextmanager
def opening(browser, folder):
  """Opens findings as a page, which must not complain nor ask a network."""
  with contextlib.ExitStack() as stack:
    seen = []

    def open_page(findings, pictures=found.pictures, **options):
      path = folder / 'report.html'
      if not path.exists():
        page.write(path, findings, pictures)
      context = browser.new_context(**options)
      stack.callback(context.close)
      tab = context.new_page()
      tab.set_default_timeout(20_000)
      tab.on('console', lambda message: seen.append(message.text))
      tab.on('pageerror', lambda error: seen.append(str(error)))
      tab.on('dialog', lambda dialog: seen.append(dialog.message))
      tab.on(
        'request',
        lambda request: (
          None
          if request.url.startswith(('data:', 'blob:', path.as_uri()))
          else seen.append(request.url)
        ),
      )
      tab.goto(path.as_uri())
      return tab

    yield open_page
    assert seen == []


def indices(tab):
  """Of the suspicious examples that are shown, by their names or numbers."""
  labels = tab.eval_on_selector_all(
    '#issues .tile',
    "(all) => all.map((tile) => tile.getAttribute('aria-label'))",
  )
  return [_index(label) for label in labels]


def focused(tab):
  return _index(
    tab.evaluate("document.activeElement.getAttribute('aria-label')")
  )


def _index(label):
  # '3: 17.png, given ...': the file's name is the row.
  return 100 + int(label.split(': ')[1].split('.png')[0])


def export(tab):
  with tab.expect_download() as download:
    tab.click('#export')
  assert download.value.suggested_filename == 'reviewed.csv'
  with open(download.value.path(), newline='', encoding='utf-8') as file:
    return list(csv.reader(file))


def import_review(tab, folder, lines, told='marks are read'):
  path = folder / 'reviewed.csv'
  with path.open('w', newline='') as file:
    csv.writer(file).writerows(lines)
  tab.evaluate("document.getElementById('status').textContent = ''")
  tab.set_input_files('#file', path)
  tab.wait_for_function(
    "(told) => document.getElementById('status').textContent.includes(told)",
    arg=told,
  )
