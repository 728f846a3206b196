"""What every test of a damaged or missing data set asks of the error."""

import re

import pytest

from experiments.data import errors


def fails(message, call):
  """The error of a call: one line, with this text."""
  with pytest.raises(errors.DataError, match=re.escape(message)) as caught:
    call()
  assert '\n' not in str(caught.value)
  return str(caught.value)
