"""Small findings, of which everything is known."""

import io

import numpy as np
from PIL import Image

from experiments.audit import findings as findings_lib
from experiments.audit import page_data

CLASS_NAMES = ('cat', 'dog', 'eel', 'fox')
# Of untrusted names, those that have broken pages and spreadsheets.
HOSTILE = (
  '<script>alert(1)</script>',
  '</script><img src=x onerror=alert(2)>',
  'a "quoted" & \'single\' name',
  'two\nlines',
  "=cmd|' /C calc'!A0",
  '\u0639\u0631\u0628\u064a',
  '\u202egnp.exe',
  '{{ 7 * 7 }}',
  '\u2028<!--',
  '',
)


def make(
  num_examples: int = 40,
  class_names: tuple[str, ...] = CLASS_NAMES,
  *,
  num_issues: int = 12,
  named: bool = True,
  seed: int = 0,
) -> findings_lib.Findings:
  """Findings of which the first issues are spread over the examples."""
  rng = np.random.default_rng(seed)
  num_classes = len(class_names)
  label = rng.integers(0, num_classes, num_examples).astype(np.int32)
  issues = rng.permutation(num_examples)[:num_issues]
  is_issue = np.isin(np.arange(num_examples), issues)
  other = (label + rng.integers(1, num_classes, num_examples)) % num_classes
  own = rng.uniform(0.0, 0.5, num_examples)
  transition = np.full((num_classes, num_classes), 0.2 / (num_classes - 1))
  np.fill_diagonal(transition, 0.8)
  return findings_lib.Findings(
    title='pets',
    class_names=class_names,
    names=[f'{class_names[one]}/{row}.png' for row, one in enumerate(label)]
    if named
    else None,
    index=np.arange(num_examples, dtype=np.int64) + 100,
    label=label,
    score=1 - own,
    is_issue=is_issue,
    suggested=np.where(is_issue, other, label).astype(np.int32),
    confidence=rng.uniform(0.5, 1.0, num_examples),
    label_probability=own,
    rate=0.2,
    rate_interval=(0.15, 0.25),
    expected=num_examples // 5,
    expected_interval=(num_examples // 10, num_examples // 4),
    transition=transition,
    prior=np.full(num_classes, 1 / num_classes),
    duplicates=[],
    outliers=[],
    num_outliers=0,
    doubts=[],
    problems=[],
    settings={'command': 'python -m experiments.audit'},
    accuracy=0.7,
  )


def pictures(rows: np.ndarray) -> list[bytes]:
  """One picture a row, in a colour of its own."""
  return [_png(int(row)) for row in rows]


def _png(row: int) -> bytes:
  colour = (37 * row % 256, 91 * row % 256, 151 * row % 256)
  file = io.BytesIO()
  Image.new('RGB', (8, 8), colour).save(file, 'png')
  return file.getvalue()


def everything(
  names: tuple[str, ...] = CLASS_NAMES,
) -> findings_lib.Findings:
  """Findings with a pair, an outlier and a problem, too."""
  findings = make(class_names=names)
  quiet = np.flatnonzero(~findings.is_issue)
  other = next(
    row for row in quiet if findings.label[row] != findings.label[quiet[0]]
  )
  return findings._replace(
    duplicates=[findings_lib.Duplicate(int(quiet[0]), int(other), 0.0004)],
    outliers=[
      findings_lib.Outlier(int(page_data.by_suspicion(findings)[4]), 2.0)
    ],
    problems=['a/very/long/path/' * 20 + '.png cannot be read'],
  )
