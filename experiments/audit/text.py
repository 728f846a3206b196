"""Names that others chose, as text that is safe to print and to keep."""

from collections.abc import Sequence
import os
import re

# More names than that are a count.
_SHOWN = 5
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def file_name(path: str | os.PathLike[str]) -> str:
  """A path as valid Unicode; bytes that are none are escaped."""
  return os.fsencode(path).decode('utf-8', 'backslashreplace')


def visible(name: str) -> str:
  """A name in one line of printable characters; other names have others.

  Line breaks, control characters, bytes that are no Unicode, and spaces at
  either end are escaped, and so is the backslash.
  """
  start = len(name) - len(name.lstrip())
  end = len(name.rstrip())
  return ''.join(
    char
    if char.isprintable() and char != '\\' and start <= place < end
    else _escaped(char)
    for place, char in enumerate(name)
  )


def cell(name: str) -> str:
  """A name in a CSV file, with an apostrophe where it looks like a formula.

  Spreadsheets run cells that begin so. Names that have apostrophes before that
  get one more, so that one less is always the name. The same is done in
  page_marks.js.
  """
  return f"'{name}" if _FORMULA.match(name) else name


def _escaped(char: str) -> str:
  if char == ' ':
    return '\\x20'
  return char.encode('unicode_escape').decode('ascii')


def listed(names: Sequence[str]) -> str:
  """Some names, visible, as the end of a sentence."""
  shown = ', '.join(visible(name) for name in names[:_SHOWN])
  rest = len(names) - _SHOWN
  return f'{shown} and {rest:,} more' if rest > 0 else shown


def count(number: int, thing: str, things: str | None = None) -> str:
  """A number of things, such as '1 image' or '2 images'."""
  return f'{number:,} {thing if number == 1 else things or thing + "s"}'
