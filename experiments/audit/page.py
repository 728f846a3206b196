"""report.html: what an audit found, to be read, reviewed and exported.

The page is one file that loads nothing: its content security policy allows its
own style and script, by their hashes, and pictures that are in it, and nothing
else. All names in it are untrusted: the template escapes them, and the script
makes text of them.
"""

import base64
import hashlib
import pathlib

import jinja2

from experiments import log
from experiments.audit import findings as findings_lib
from experiments.audit import page_data
from experiments.audit import pictures as pictures_lib
from experiments.audit import summary

# Of more classes, a heat map is too large to be read and to be loaded.
_MAX_MAP = 30
_MAX_CLASSES = 100
_MAX_PAIRS = 30
_MAX_OTHERS = 100
_MAX_PROBLEMS = 100

_FOLDER = pathlib.Path(__file__).parent
# Pieces of one script; the last one starts it.
_SCRIPTS = (
  'page_marks.js',
  'page_sheet.js',
  'page_filters.js',
  'page_chooser.js',
  'page.js',
)


def write(
  path: pathlib.Path,
  findings: findings_lib.Findings,
  pictures: pictures_lib.Pictures | None,
  *,
  max_pictures: int = 1000,
) -> None:
  """Writes the page, whole or not at all.

  Args:
    path: where to.
    findings: what it tells.
    pictures: from rows, int64 `[n]`, to a PNG of each, at most 96 pixels wide
      and high; None if there are only arrays.
    max_pictures: how many issues are in the page, the most suspicious ones.
  """
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
  )
  environment.filters['percent'] = percent
  environment.filters['counted'] = counted
  style = (_FOLDER / 'page.css').read_text()
  script = ''.join((_FOLDER / name).read_text() for name in _SCRIPTS)
  names = page_data.class_names(findings)
  has_map = len(names) <= _MAX_MAP
  page = environment.get_template('page.html').render(
    policy=_policy(style, script),
    style=style,
    script=script,
    findings=findings,
    names=names,
    num_issues=int(findings.is_issue.sum()),
    num_pairs=len(page_data.distinct_pairs(findings.duplicates)),
    max_others=_MAX_OTHERS,
    max_problems=_MAX_PROBLEMS,
    heat_map=summary.heat_map(findings.transition, findings.prior)
    if has_map
    else None,
    pairs=summary.confused_pairs(findings, most=_MAX_PAIRS),
    classes=summary.class_quality(findings, most=_MAX_CLASSES),
    has_pictures=pictures is not None,
    data=page_data.make(
      findings, pictures, max_issues=max_pictures, max_others=_MAX_OTHERS
    ),
  )
  # Of ASCII, the file does not depend on the locale, and has no half of a
  # surrogate pair. Style, script and data have nothing else to begin with.
  log.write_text(path, page.encode('ascii', 'xmlcharrefreplace').decode())


def percent(share: float) -> str:
  """A share as text, such as 28.4%."""
  if 0 < share < 0.0005:
    return '<0.1%'
  return f'{100 * share:.1f}%'


def counted(number: int, one: str, many: str) -> str:
  """A number of things, such as 1 label, 1,797 labels."""
  return f'{number:,} {one if number == 1 else many}'


def _policy(style: str, script: str) -> str:
  return (
    "default-src 'none'; img-src data:; "
    f"style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
    "base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
  )


def _hash(content: str) -> str:
  digest = hashlib.sha256(content.encode()).digest()
  return f'sha256-{base64.b64encode(digest).decode()}'
