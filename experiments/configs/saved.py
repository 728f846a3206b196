"""The configuration of an earlier run: `saved.py:RUN/config.json`."""

import json
import pathlib

import ml_collections

from experiments import errors
from experiments.configs import common


def get_config(path: str = '') -> ml_collections.ConfigDict:
  """Reads the config.json that a run left in its working directory."""
  if not pathlib.Path(path).is_file():
    raise errors.UsageError(
      f'saved.py:{path} names no file: give the config.json of a run, such as '
      'saved.py:runs/elr/config.json'
    )
  config = common.get_config()
  config.update(json.loads(pathlib.Path(path).read_text()))
  return config
