"""The fields of a configuration and their meanings, for --help."""

import inspect
import re

from experiments.configs import common


def fields() -> str:
  """Every field of `configs/common.py`: its default, under its comment."""
  lines = [
    '',
    'Fields of --config, with the defaults of configs/common.py:',
    '',
  ]
  comment: list[str] = []
  for line in inspect.getsource(common.get_config).splitlines():
    line = line.strip()
    field = re.match(r'(config\.[\w.]+) = (.*)', line)
    if line.startswith('# '):
      comment.append(f'      {line[2:]}')
    elif not line:
      comment = []
    elif field and 'ConfigDict' not in line:
      value = re.sub(r'config_dict\.placeholder\((\w+)\)', r'\1', field[2])
      lines += [f'  --{field[1]}={value}', *comment]
      comment = []
    elif field:
      lines += comment
      comment = []
  loss = [f'  --config.loss.{name}=float' for name in _loss_fields()]
  return '\n'.join(lines + loss)


def _loss_fields() -> list[str]:
  return [name for name in common.get_config().loss if name != 'name']
