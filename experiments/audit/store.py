"""What a stage has found, kept on disk, so that it is not sought twice."""

from collections.abc import Callable
import pathlib
import zipfile

import numpy as np

from experiments import record


def kept(
  path: pathlib.Path, key: str, make: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
  """Reads arrays; if they are not there, or damaged, makes them first.

  Args:
    path: an .npz file.
    key: what the arrays depend on and the path does not say.
    make: returns the arrays.

  Returns:
    The arrays by name.
  """
  try:
    # Of a damaged file numpy would forget to close what it has opened.
    with path.open('rb') as file, np.load(file) as saved:
      if str(saved['key']) == key:
        return {name: saved[name] for name in saved.files if name != 'key'}
  except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
    pass  # Absent, or cut short.
  arrays = make()
  record.write_arrays(path, {**arrays, 'key': np.array(key)})
  return arrays
