"""What goes wrong with data, said to the user."""


class DataError(ValueError):
  """Data that cannot be used; the message is one line that says what to do."""


class NotPreparedError(DataError):
  """A data set that exists, but not where it was sought."""
