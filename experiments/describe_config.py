"""The fields of a configuration and their meanings, for --help."""

import inspect
import re

from experiments import loss_fields
from experiments import models
from experiments import named_methods
from experiments.configs import common


def fields(base: str = '') -> str:
  """The fields of `configs/common.py` under its own comments, as flags.

  Args:
    base: where a configuration has them, such as `base.` in a sweep.

  Returns:
    Many lines.
  """
  lines = ['Fields of --config, with the defaults of configs/common.py:']
  for line in inspect.getsource(common.get_config).splitlines():
    line = line.strip()
    field = re.match(r'(config\.[\w.]+) = (.*)', line)
    if line.startswith('# '):
      lines.append(f'  {line[2:]}')
    elif not line:
      lines.append('')
    elif field and 'ConfigDict' not in line:
      value = re.sub(r'config_dict\.placeholder\((\w+)\)', r'<\1>', field[2])
      lines.append(f'    --{field[1]}={value}')
  kinds = loss_fields.fields()
  lines += ['  Losses, and the hyper-parameters that each takes:']
  for name in loss_fields.names():
    flags = [
      f'--config.loss.{part}=<loss>' for part in loss_fields.PARTS.get(name, ())
    ]
    flags += [
      f'--config.loss.{parameter}=<{kinds[parameter].__name__}>'
      for parameter in loss_fields.parameters(name)
    ]
    lines.append(f'    --config.loss.name={name} {" ".join(flags)}'.rstrip())
  lines += ['  Methods, and the hyper-parameters that each takes:']
  for name in named_methods.names():
    flags = [
      f'--config.method.{parameter}='
      f'<{named_methods.fields()[parameter].__name__}>'
      for parameter in named_methods.parameters(name)
    ]
    lines.append(f'    --config.method.name={name} {" ".join(flags)}')
  lines += ['', f'  Models: {", ".join(models.MODELS)}']
  text = '\n'.join(lines)
  return text.replace('--config.', f'--config.{base}')
