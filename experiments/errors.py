"""Errors that a user can act on, and the nearest right name."""

from collections.abc import Iterable
import difflib


class UsageError(Exception):
  """What was asked for cannot be meant: exit code 2."""


class RunError(Exception):
  """What was asked for could not be done: exit code 1."""


def nearest(name: str, known: Iterable[str]) -> str:
  """The names closest to `name`, or all of them, as the end of a sentence."""
  known = sorted(known)
  close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
  if close:
    return f'did you mean {" or ".join(close)}?'
  return f'there are: {", ".join(known) or "none"}'


def check_name(what: str, name: str, known: Iterable[str]) -> None:
  """Raises a `UsageError` that offers the nearest names.

  Args:
    what: the flag or field that gave the name.
    name: the name that was given.
    known: the names that exist.
  """
  known = list(known)
  if name not in known:
    raise UsageError(f'{what}={name!r} is unknown; {nearest(name, known)}')


class StoppedError(Exception):
  """A signal came, and everything is saved: exit code 143, as of SIGTERM."""
