r"""Draws the pictures of docs/audit.md anew, from the report of its example.

  python -m experiments.audit --dataset=digits --config.noise.name=symmetric \
    --workdir=runs/audit_digits
  python docs/images/draw_audit.py runs/audit_digits/report.html

It needs the extra `dev`, and Chromium on PATH.
"""

import io
import pathlib
import shutil
import sys

from PIL import Image
from playwright import sync_api

_FOLDER = pathlib.Path(__file__).parent
_BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
_DESKTOP = {'width': 1280, 'height': 800}
_PHONE = {'width': 375, 'height': 720}
# What a person types: wrong, right, unsure, remove.
_MARKS = 'wwwrwwuwxww'


def main(report: str) -> None:
  """Opens the report as three people do."""
  path = next(filter(None, map(shutil.which, _BROWSERS)))
  url = pathlib.Path(report).resolve().as_uri()
  with sync_api.sync_playwright() as playwright:
    browser = playwright.chromium.launch(
      executable_path=path, args=['--no-sandbox', '--disable-gpu']
    )
    page = browser.new_page(viewport=_DESKTOP, color_scheme='light')
    page.goto(url)
    _save(page, 'audit_first_screen')
    page.click('#start')
    for key in _MARKS:
      page.keyboard.press(key)
    page.evaluate("document.getElementById('review').scrollIntoView()")
    _save(page, 'audit_contact_sheet')
    page = browser.new_page(viewport=_PHONE, color_scheme='dark')
    page.goto(url)
    _save(page, 'audit_phone')
    browser.close()


def _save(page: sync_api.Page, name: str) -> None:
  """With a palette, which is a third of the size."""
  page.wait_for_timeout(1000)  # Pictures come when they are to be seen.
  image = Image.open(io.BytesIO(page.screenshot())).convert('RGB')
  image.quantize(256).save(_FOLDER / f'{name}.png', optimize=True)


if __name__ == '__main__':
  main(*sys.argv[1:])
