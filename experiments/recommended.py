"""Looks up the hyper-parameters that the papers' own codes use."""

import functools
import pathlib
import tomllib
from typing import Any
from typing import NamedTuple

from experiments import errors


class Entry(NamedTuple):
  """Hyper-parameters, and where they come from.

  Attributes:
    loss: fields of `config.loss`.
    source: a paper, or a code and the file or folder in it.
    verified: whether they were read there; otherwise they are recalled.
    note: what to know before using them.
  """

  loss: dict[str, Any]
  source: str
  verified: bool
  note: str


def recommended(loss: str, dataset: str, noise: str | None = None) -> Entry:
  """The official hyper-parameters of a loss for a data set and its noise.

  Args:
    loss: a loss of `noisy_labels.losses`, or a pair by the name that papers
      give it, such as `NCE+RCE`.
    dataset: `mnist`, `cifar10`, `cifar100`, `webvision`, `clothing1m`; any
      other for losses whose values do not depend on it.
    noise: `symmetric`, `asymmetric`, `dependent` (on the instance) or `human`;
      `symmetric:0.4` where the values depend on the rate too.

  Returns:
    The entry for this noise if there is one, else that for any noise, else
    that for any data set.

  Raises:
    UsageError: there is none. It offers the nearest that there are.
  """
  errors.check_name('loss', loss, table())
  row = table()[loss]
  family = (noise or '').partition(':')[0]
  for key in (f'{dataset}:{noise}', f'{dataset}:{family}', dataset, 'any'):
    if key in row:
      return row[key]
  noises = [
    key.partition(':')[2] for key in row if key.startswith(f'{dataset}:')
  ]
  if not noises:
    known = {key.partition(':')[0] for key in row}
    errors.check_name(f'data set for {loss}', dataset, known)
  if noise is None:
    raise errors.UsageError(
      f'{loss} on {dataset} depends on the noise: say which of '
      f'{", ".join(noises)}'
    )
  raise errors.UsageError(
    f'noise for {loss} on {dataset}={noise!r} is unknown; '
    f'{errors.nearest(noise, noises)}'
  )


@functools.cache
def table() -> dict[str, dict[str, Entry]]:
  """Every entry of official.toml, by loss and by data set and noise."""
  path = pathlib.Path(__file__).parent / 'official.toml'
  text = tomllib.loads(path.read_text())
  sources = text.pop('sources')
  result: dict[str, dict[str, Entry]] = {}
  for loss, row in text.items():
    about = {'source': row.pop('source'), 'note': '', 'verified': True}
    about |= {k: row.pop(k) for k in ('note', 'verified') if k in row}
    fixed = {'name': loss, **row.pop('fields', {})}
    result[loss] = {}
    for key, values in row.items():
      own = {k: values.pop(k) for k in about if k in values}
      entry = {**about, **own}
      entry['source'] = sources[entry['source']]
      result[loss][key] = Entry({**fixed, **values}, **entry)
  return result
