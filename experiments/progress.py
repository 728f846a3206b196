"""How far something has come, and how long it will still take."""

from collections.abc import Callable
import sys
import time

from rich import console as rich_console
from rich import progress as rich_progress

# Seconds between two lines. Of what takes long, a hundredth of the time so far.
_SELDOM = 10.0
_SHARE = 0.01
# Over so many seconds speed is averaged, so that steps may take a minute.
_PERIOD = 120.0
_WORDS = ('left', 'note')
# So often `advance` is called before anybody can tell.
_EARLY = 5


class Progress:
  """A live bar on a terminal; in a file or a pipe, a line from time to time.

  Both go to stderr, and say which share is done and how much time is left. To
  be used in a `with` statement.
  """

  def __init__(
    self,
    title: str,
    *,
    total: int,
    done: int = 0,
    show: bool = True,
    clock: Callable[[], float] = time.monotonic,
  ):
    """Knows of `done` of `total` steps.

    Args:
      title: what is done.
      total: how many steps it has.
      done: how many of them were taken before.
      show: whether anybody is told: of many processes, by one.
      clock: in seconds.
    """
    is_live = show and sys.stderr.isatty()
    self._title, self._clock = title, clock
    self._prints = show and not is_live
    self._started = self._told = clock()
    self._bar = rich_progress.Progress(
      rich_progress.TextColumn('{task.description}', markup=False),
      rich_progress.BarColumn(),
      rich_progress.TaskProgressColumn(),
      rich_progress.TextColumn('{task.fields[left]}', markup=False),
      rich_progress.TextColumn('{task.fields[note]}', markup=False),
      console=rich_console.Console(stderr=True),
      disable=not is_live,
      transient=True,
      get_time=clock,
      speed_estimate_period=_PERIOD,
    )
    self._calls = 0
    self._number = self._bar.add_task(
      title, total=total, completed=done, note='starting', left=''
    )

  def __enter__(self) -> 'Progress':
    self._bar.start()
    return self

  def __exit__(self, *_) -> None:
    self._bar.stop()

  def advance(self, steps: int = 1) -> None:
    """Some steps more."""
    if not self._calls:
      self._bar.update(self._number, note='')
    self._calls += 1
    self._bar.advance(self._number, steps)
    self._bar.update(self._number, left=self._left())
    self._tell()

  def say(self, note: str) -> None:
    """What is done at this moment, or how well it goes."""
    self._bar.update(self._number, note=note)
    self._tell()

  @property
  def _task(self) -> rich_progress.Task:
    return self._bar.tasks[0]

  def _left(self) -> str:
    """How much time is left; nothing before that can be told."""
    # Something may be compiled between the first steps.
    task = self._task
    seconds = task.time_remaining
    is_early = self._calls < min(_EARLY, (task.total or 0) / 10)
    if task.finished or seconds is None or is_early:
      return ''
    return f'{duration(seconds)} left'

  def _tell(self) -> None:
    now = self._clock()
    pause = max(_SELDOM, _SHARE * (now - self._started))
    if not self._prints or now - self._told < pause:
      return
    self._told = now
    task = self._task
    words = (f'{int(task.percentage)}%', *map(task.fields.get, _WORDS))
    line = f'{self._title}: {", ".join(filter(None, words))}'
    print(line, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
  """A time in the unit that suits it, such as 40 s, 12 min or 2.5 h."""
  if seconds < 90:
    return f'{seconds:.0f} s'
  if seconds < 90 * 60:
    return f'{seconds / 60:.0f} min'
  return f'{seconds / 3600:.1f} h'
