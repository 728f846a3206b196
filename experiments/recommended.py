"""Looks up how the papers' own codes set and train losses and methods."""

import functools
import pathlib
import tomllib
from typing import Any
from typing import NamedTuple

from experiments import errors

# What entries call the noises of the experiments that have other names there.
_FAMILIES = {'part_dependent': 'dependent', 'margin_dependent': 'dependent'}


class Entry(NamedTuple):
  """Hyper-parameters, and where they come from.

  Attributes:
    loss: fields of `config.loss`; none for a method.
    method: fields of `config.method`; none for a loss.
    training: fields of `config` that a method is trained with, beside these.
    source: a paper, or a code and the file or folder in it.
    verified: whether they were read there; otherwise they are recalled.
    note: what to know before using them.
  """

  loss: dict[str, Any]
  method: dict[str, Any]
  training: dict[str, Any]
  source: str
  verified: bool
  note: str


def recommended(name: str, dataset: str, noise: str | None = None) -> Entry:
  """The official settings of a loss or a method for a data set and its noise.

  Args:
    name: a loss of `noisy_labels.losses`, or a pair by the name that papers
      give it, such as `NCE+RCE`; or a method of `noisy_labels.methods`.
    dataset: `mnist`, `cifar10`, `cifar100`, `webvision`, `clothing1m`; any
      other for losses whose values do not depend on it. Methods have `cifar10`
      and `cifar100`.
    noise: `symmetric`, `asymmetric`, `dependent` (on the instance, as
      `part_dependent` and `margin_dependent` are) or `human`; `symmetric:0.4`
      where the values depend on the rate too.

  Returns:
    The entry for this noise if there is one, else that for any noise, else
    that for any data set.

  Raises:
    UsageError: there is none. It offers the nearest that there are.
  """
  every = {**table(), **method_table()}
  errors.check_name('loss or method', name, every)
  row = every[name]
  family, _, rate = (noise or '').partition(':')
  family = _FAMILIES.get(family, family)
  of_rate = [
    key
    for key in row
    if key.startswith(f'{dataset}:{family}:')
    and rate_of(key.rpartition(':')[2]) == rate_of(rate)
  ]
  for key in (*of_rate, f'{dataset}:{family}', dataset, 'any'):
    if key in row:
      return row[key]
  noises = [
    key.partition(':')[2] for key in row if key.startswith(f'{dataset}:')
  ]
  if not noises:
    known = {key.partition(':')[0] for key in row}
    errors.check_name(f'data set for {name}', dataset, known)
  if noise is None:
    raise errors.UsageError(
      f'{name} on {dataset} depends on the noise: say which of '
      f'{", ".join(noises)}'
    )
  raise errors.UsageError(
    f'noise for {name} on {dataset}={noise!r} is unknown; '
    f'{errors.nearest(noise, noises)}'
  )


def rate_of(rate: str) -> float | None:
  """A rate, None if there is none."""
  try:
    return float(rate) if rate else None
  except ValueError:
    raise errors.UsageError(
      f'{rate!r} is no rate of noise: give a number, as in symmetric:0.4'
    ) from None


@functools.cache
def table() -> dict[str, dict[str, Entry]]:
  """Every entry of official.toml, by loss and by data set and noise."""
  return _read('official.toml', 'loss')


@functools.cache
def method_table() -> dict[str, dict[str, Entry]]:
  """Every entry of official_methods.toml, by method, data set and noise."""
  return _read('official_methods.toml', 'method')


def _read(file: str, kind: str) -> dict[str, dict[str, Entry]]:
  """The entries of a file, whose values are fields of `config.loss` or so."""
  path = pathlib.Path(__file__).parent / file
  text = tomllib.loads(path.read_text())
  sources = text.pop('sources')
  training_of_all = text.pop('training', {})
  result: dict[str, dict[str, Entry]] = {}
  for name, row in text.items():
    about = {'source': row.pop('source'), 'note': '', 'verified': True}
    about |= {k: row.pop(k) for k in ('note', 'verified') if k in row}
    fixed = {'name': name, **row.pop('fields', {})}
    training = _merged(training_of_all, row.pop('training', {}))
    result[name] = {}
    for key, values in row.items():
      own = {k: values.pop(k) for k in about if k in values}
      entry = {'loss': {}, 'method': {}, **about, **own}
      entry['source'] = sources[entry['source']]
      entry['training'] = _merged(training, values.pop('training', {}))
      entry[kind] = {**fixed, **values}
      result[name][key] = Entry(**entry)
  return result


def _merged(fields: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
  """Fields of a configuration, changed by others, group by group."""
  merged = {**fields}
  for name, value in others.items():
    is_group = isinstance(value, dict)
    merged[name] = {**fields.get(name, {}), **value} if is_group else value
  return merged
