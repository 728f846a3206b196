"""The grid of a sweep: every system with every combination of some values.

It is a part of the sweep's configuration, fields as a run's configuration has
them, and tuples of values in place of values:

  sweep.grid = ml_collections.ConfigDict(
    {'optimizer': {'learning_rate': (0.1, 0.01)}, 'noise': {'rate': (0.2, 0.4)}}
  )
"""

import ast
from collections.abc import Sequence
import itertools
import re
from typing import Any

import ml_collections

from experiments import errors
from experiments import record
from experiments.configs import common


def systems(sweep: ml_collections.ConfigDict) -> dict[str, dict[str, Any]]:
  """The systems of a sweep; if it has a grid, one for each combination.

  Args:
    sweep: `systems`, from a name to the fields that differ, and `grid`.

  Returns:
    From a name, such as `cross_entropy+noise.rate=0.2`, to the fields that
    differ. Where a system sets a field of the grid, the grid's values count.

  Raises:
    UsageError: the grid has an unknown field, or values that cannot be meant.
  """
  grid = {k: _checked(k, values) for k, values in _values(sweep).items()}
  found = {}
  for name, fields in sweep.systems.to_dict().items():
    for chosen in itertools.product(*grid.values()):
      values = dict(zip(grid, chosen, strict=True))
      parts = [f'{field}={_text(value)}' for field, value in values.items()]
      # Not with commas, which are between directories in --workdirs.
      full = '+'.join([name, *parts] if name else parts)
      found[full] = _nested({**record.flat(fields), **values})
  return found


def add(
  sweep: ml_collections.ConfigDict, texts: Sequence[str]
) -> ml_collections.ConfigDict:
  """A copy of the sweep whose grid has these fields, too, or instead.

  Args:
    sweep: has a grid, or none.
    texts: each a field and its values, as in `loss.q=0.5,0.7`.

  Returns:
    The copy.

  Raises:
    UsageError: a text cannot be read, or two are of one field.
  """
  given: dict[str, Any] = {}
  for text in texts:
    field, values = _parse(text)
    if field in given:
      raise errors.UsageError(
        f'--grid={text}: {field} has a --grid already; give all of its values '
        'in one'
      )
    given[field] = values
  fields = _nested({**_values(sweep), **given})
  # A deep copy would sort the systems by their names.
  changed = ml_collections.ConfigDict(sweep)
  with changed.unlocked():
    changed.grid = ml_collections.ConfigDict(fields, sort_keys=False)
  return changed


def of_run(
  config: ml_collections.ConfigDict, name: str
) -> ml_collections.ConfigDict:
  """A sweep of one system, the run that `config` describes, with one seed.

  Args:
    config: of a run.
    name: of the system; may be empty if a grid is added, whose values then
      name the runs.

  Returns:
    The sweep.

  Raises:
    UsageError: the run has a seed, which those of a sweep would replace.
  """
  if config.seed:
    raise errors.UsageError(
      f'config.seed={config.seed} is of one run, and the seeds of a sweep are '
      '0, 1, ...: set --config.seed=0, and say how many with --seeds'
    )
  sweep = ml_collections.ConfigDict({'seeds': 1, 'systems': {name: {}}})
  sweep.base = config
  return sweep


def _parse(text: str) -> tuple[str, list[Any]]:
  field, _, values = text.partition('=')
  kind = _kind(field, '--grid')
  if kind is str:
    return field, values.split(',') if values else []
  try:
    return field, ast.literal_eval(f'[{values}]')
  except (SyntaxError, ValueError):
    raise errors.UsageError(
      f'--grid={text}: give {field} values of type {kind.__name__}, as Python '
      'writes them, with commas between them'
    ) from None


def _values(sweep: ml_collections.ConfigDict) -> dict[str, Any]:
  """The grid's fields by their full names, and the values of each."""
  given = sweep.get('grid')
  return record.flat(given.to_dict()) if given else {}


def _checked(field: str, values: Any) -> list[Any]:
  """The values, of the type of their field; they are some, and they differ."""
  kind = _kind(field, 'config.grid')
  if not isinstance(values, list | tuple) or not values:
    raise errors.UsageError(
      f'the grid has no values of {field}: give it a tuple of them, or '
      f'--grid={field}=VALUE,VALUE'
    )
  typed = []
  for value in values:
    # An integer will do for a float, and a list for a tuple.
    wanted = {float: float | int, tuple: tuple | list}.get(kind, kind)
    is_bool = isinstance(value, bool)
    if not isinstance(value, wanted) or is_bool != (kind is bool):
      raise errors.UsageError(
        f'the grid has {field}={value!r}: give values of type {kind.__name__}'
      )
    typed.append(kind(value))
  texts = [_text(value) for value in typed]
  for text in texts:
    if texts.count(text) > 1:
      raise errors.UsageError(
        f'the grid has {field}={text} twice: leave out one of the two, for '
        'values name the runs'
      )
  return typed


def _fields() -> list[str]:
  """The full names of the fields of a run, but for the seed."""
  fields = record.flat(common.get_config().to_dict())
  return [field for field in fields if field != 'seed']


def _kind(field: str, what: str) -> type:
  if field == 'seed':
    raise errors.UsageError(
      f'{what}: seeds are beside the grid; say how many with --seeds'
    )
  errors.check_name(what, field, _fields())
  config = common.get_config()
  *sections, name = field.split('.')
  for section in sections:
    config = config[section]
  return config.get_type(name)


def _text(value: Any) -> str:
  """A value as a part of a file's name."""
  if isinstance(value, tuple):
    return '-'.join(map(_text, value))
  text = f'{value:g}' if isinstance(value, float) else str(value)
  return re.sub(r'[^\w.+-]+', '-', text, flags=re.ASCII)


def _nested(fields: dict[str, Any]) -> dict[str, Any]:
  """The reverse of `record.flat`."""
  nested: dict[str, Any] = {}
  for field, value in fields.items():
    *sections, name = field.split('.')
    inner = nested
    for section in sections:
      inner = inner.setdefault(section, {})
    inner[name] = value
  return nested
