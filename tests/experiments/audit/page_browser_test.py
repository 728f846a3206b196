"""The report in a browser: what of it can be seen, and by whom."""

import numpy as np
import pytest

from tests.experiments.audit import found
from tests.experiments.audit import tabs

_PHONE = {'width': 375, 'height': 812}
# Of every visible text: its contrast with what is behind it (WCAG 1.4.3).
_LOW_CONTRAST = """() => {
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const over = ({ rgb, a }, below) =>
    rgb.map((value, i) => a * value + (1 - a) * below[i]);
  const linear = (value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const parent = element.parentElement;
    const color = parse(getComputedStyle(element).backgroundColor);
    return over(color, parent ? behind(parent) : [255, 0, 0]);
  };
  const low = [];
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement: element } = walker.currentNode;
    if (!data.trim() || !element.checkVisibility()) continue;
    if (element.closest('script, style, :disabled')) continue;
    texts += 1;
    const back = behind(element);
    const front = over(parse(getComputedStyle(element).color), back);
    const [a, b] = [back, front].map(luminance).sort((x, y) => x - y);
    const ratio = (b + 0.05) / (a + 0.05);
    if (ratio < 4.5) low.push(`${data}: ${ratio.toFixed(2)}`);
  }
  return { low, texts };
}"""


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_all_text_has_contrast(opened, scheme):
  findings = found.everything()
  transition = np.array(
    [[0.6, 0.4, 0, 0], [0.1, 0.7, 0.2, 0], [0, 0.3, 0.7, 0], [0.05, 0, 0, 0.95]]
  )
  findings = findings._replace(transition=transition, doubts=['It is weak.'])
  tab = opened(findings, color_scheme=scheme)
  tab.click('#start')
  for key in 'wrux':
    tab.keyboard.press(key)
  tab.eval_on_selector_all('details', 'all => all.forEach(d => d.open = true)')
  measured = tab.evaluate(_LOW_CONTRAST)
  assert measured['texts'] > 100
  assert measured['low'] == []
  page_colour = tab.evaluate('getComputedStyle(document.body).backgroundColor')
  assert (page_colour == 'rgb(255, 255, 255)') == (scheme == 'light')


@pytest.mark.parametrize(
  ('num_classes', 'pictures'), [(4, found.pictures), (40, None)]
)
def test_a_phone_shows_everything_without_scrolling_sideways(
  opened, num_classes, pictures
):
  names = tuple(f'{"a long name " * 9}{i}' for i in range(num_classes))
  findings = found.everything(names)
  tab = opened(findings, pictures, viewport=_PHONE)
  tab.click('#start')
  tab.locator('[data-verdict="wrong"]').click()
  tab.eval_on_selector_all('details', 'all => all.forEach(d => d.open = true)')
  assert tab.evaluate('document.documentElement.scrollWidth') == 375
  panel = tab.locator('.panel').bounding_box()
  assert panel['y'] + panel['height'] <= 812
  assert tab.inner_text('#count').startswith('1 of')


def test_hostile_names_are_shown_and_do_nothing(opened):
  findings = found.make(60, found.HOSTILE, num_issues=30)
  names = [found.HOSTILE[row % 10] or 'x' for row in range(60)]
  tab = opened(findings._replace(names=names, title=found.HOSTILE[0]))
  assert tab.inner_text('h1') == '<script>alert(1)</script>'
  assert tab.locator('script').count() == 2
  assert tab.locator('.sheet img:not(.frame img)').count() == 0
  tab.click('#start')
  for _ in range(30):
    tab.keyboard.press('w')
  tab.keyboard.press('c')
  tab.keyboard.press('Escape')
  exported = {line[0]: line[1] for line in tabs.export(tab)[1:]}
  assert len(exported) == 30
  for index, name in exported.items():
    original = names[int(index) - 100]
    # What a spreadsheet would run has an apostrophe in front.
    assert name == (f"'{original}" if original[0] == '=' else original)
  assert any(name.startswith("'=cmd") for name in exported.values())
  tab.reload()
  assert tab.inner_text('#count') == '30 of 30 reviewed'


def test_a_thousand_pictures_are_drawn_as_they_come_into_sight(opened):
  tab = opened(found.make(1200, num_issues=1200))
  assert 60 <= tab.locator('#issues .tile').count() < 300
  tab.click('#start')
  tab.keyboard.press('End')
  assert tab.locator('#issues .tile').count() == 1000
  assert tab.inner_text('#chosen-rank').startswith('1,000, score')
  assert (
    tab.locator('.panel img').evaluate(
      'image => image.decode().then(() => image.naturalWidth)'
    )
    == 8
  )


def test_without_scripts_the_summary_is_there(opened):
  tab = opened(found.make(), java_script_enabled=False)
  assert tab.is_visible('text=About 20.0% of the labels are wrong')
  assert 'allow this page to run' in tab.locator('noscript').text_content()
  assert tab.is_visible('#map')
  assert tab.is_hidden('#review')
  assert tab.is_hidden('#start')
