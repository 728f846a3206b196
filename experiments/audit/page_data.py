"""What the script of the report is given: examples, pictures, and its key."""

import base64
from collections.abc import Sequence
import hashlib
import math
from typing import Any

import numpy as np

from experiments.audit import files
from experiments.audit import findings as findings_lib
from experiments.audit import pictures as pictures_lib


def make(
  findings: findings_lib.Findings,
  pictures: pictures_lib.Pictures | None,
  *,
  max_issues: int,
  max_others: int,
) -> dict[str, Any]:
  """Everything that the script shows, as JSON has it.

  Args:
    findings: of N examples.
    pictures: from rows to one PNG each; None if there are none.
    max_issues: how many issues are in it.
    max_others: how many pairs of duplicates, and how many outliers.

  Returns:
    `examples`, each once; `issues`, `pairs` and `outliers`, which name examples
    by their place in that list. No text in it has half a surrogate pair.
  """
  issues = by_suspicion(findings)[:max_issues].tolist()
  pairs = distinct_pairs(findings.duplicates)[:max_others]
  outliers = sorted(findings.outliers, key=lambda one: -one.score)[:max_others]
  # A dict is a set that remembers the order.
  rows = list(
    dict.fromkeys(
      [
        *issues,
        *(row for pair in pairs for row in (pair.position, pair.partner)),
        *(one.position for one in outliers),
      ]
    )
  )
  place = {row: place for place, row in enumerate(rows)}
  drawn = pictures(np.array(rows, np.int64)) if pictures and rows else None
  return {
    'key': key(findings),
    'class_names': class_names(findings),
    'examples': [
      _example(findings, row, drawn[at] if drawn else None)
      for at, row in enumerate(rows)
    ],
    'issues': [place[row] for row in issues],
    'pairs': [
      [place[pair.position], place[pair.partner], _number(pair.distance)]
      for pair in pairs
    ],
    'outliers': [[place[one.position], _number(one.score)] for one in outliers],
  }


def by_suspicion(findings: findings_lib.Findings) -> np.ndarray:
  """The rows of the issues, in the order of issues.csv."""
  return files.rank(findings)[: np.count_nonzero(findings.is_issue)]


def distinct_pairs(
  duplicates: Sequence[findings_lib.Duplicate],
) -> list[findings_lib.Duplicate]:
  """Each pair once, whoever was found first; the closest first."""
  pairs: dict[frozenset[int], findings_lib.Duplicate] = {}
  for pair in sorted(duplicates, key=lambda one: one.distance):
    pairs.setdefault(frozenset((pair.position, pair.partner)), pair)
  return list(pairs.values())


def class_names(findings: findings_lib.Findings) -> list[str]:
  """The names to show: a class without a name is known by its number."""
  return [
    text(name) if name.strip() else f'class {number}'
    for number, name in enumerate(findings.class_names)
  ]


def text(name: str) -> str:
  """The name with what is no character replaced.

  A file's name need not be UTF-8. Python has its other bytes as halves of
  surrogate pairs, which no file can be written with.
  """
  return name.encode('utf-8', 'surrogatepass').decode('utf-8', 'replace')


def key(findings: findings_lib.Findings) -> str:
  """Under which name the browser keeps the marks: one for the same labels.

  It does not depend on what was found, so that marks outlive another audit of
  the same data.
  """
  digest = hashlib.sha256()
  parts = (findings.title, *findings.class_names, '', *(findings.names or ()))
  digest.update('\0'.join(parts).encode('utf-8', 'surrogatepass'))
  digest.update(np.asarray(findings.index, '<i8').tobytes())
  digest.update(np.asarray(findings.label, '<i4').tobytes())
  return f'noisy_labels.audit.{digest.hexdigest()[:16]}'


def _example(
  findings: findings_lib.Findings, row: int, picture: bytes | None
) -> dict[str, Any]:
  example = {
    'index': int(findings.index[row]),
    'name': text(findings.names[row]) if findings.names else '',
    'label': int(findings.label[row]),
    'suggested': int(findings.suggested[row]),
    'confidence': _number(findings.confidence[row]),
    'label_probability': _number(findings.label_probability[row]),
    'score': _number(findings.score[row]),
  }
  if picture is not None:
    example['picture'] = base64.b64encode(picture).decode()
  return example


def _number(value: float) -> float | None:
  """Four digits; JSON knows no NaN."""
  return float(f'{value:.4g}') if math.isfinite(value) else None
