"""The fields of a configuration and their meanings, for --help."""

import inspect
import re

from experiments import build
from experiments import models
from experiments.configs import common
from noisy_labels import losses


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
  lines += ['  Losses, and the hyper-parameters that each takes:']
  for name in losses.__all__:
    flags = ' '.join(
      f'--config.loss.{parameter}=<float>'
      for parameter in build.loss_parameters(name)
    )
    lines.append(f'    --config.loss.name={name} {flags}'.rstrip())
  lines += ['', f'  Models: {", ".join(models.MODELS)}']
  text = '\n'.join(lines)
  return text.replace('--config.', f'--config.{base}')
