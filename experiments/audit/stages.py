"""What an audit does one after another, and when it may stop."""

from collections.abc import Callable
import time
from typing import Any

from experiments import errors
from experiments import interrupt


class Stages:
  """Says what is done, and how long it took."""

  def __init__(self, total: int):
    """Begins with the first of so many."""
    self._total = total
    self._number = 0

  def run(self, title: str, work: Callable[[str], Any]) -> Any:
    """Does one thing, which is told the title of its progress bar.

    Args:
      title: what is done.
      work: does it.

    Returns:
      What the work returns.
    """
    self._number += 1
    title = f'[{self._number}/{self._total}] {title}'
    print(title, flush=True)
    started = time.perf_counter()
    result = work(title)
    print(f'  {time.perf_counter() - started:.1f} s', flush=True)
    return result

  def run_alone(
    self, title: str, work: Callable[[str, Callable[[], bool]], Any]
  ) -> Any:
    """Does what does not stop by itself; a signal stops behind it.

    Args:
      title: what is done.
      work: does it; is also told whom to ask whether a signal came.

    Returns:
      What the work returns, which it has kept.

    Raises:
      StoppedError: a signal came.
    """
    with interrupt.Watch() as watch:
      result = self.run(title, lambda title: work(title, lambda: watch.asked))
    if watch.asked:
      raise errors.StoppedError(
        'stopped; what is finished is kept, and the same command goes on'
      )
    return result
