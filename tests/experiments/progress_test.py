"""A bar on a terminal; lines elsewhere, not many of them."""

import io
import sys

import pytest

from experiments import progress


class _Clock:
  """Tells the time that a test sets."""

  now = 0.0

  def __call__(self):
    return self.now


def _take(clock, seconds, steps, **options):
  """A hundred steps, each of so many seconds."""
  with progress.Progress('work', total=100, clock=clock, **options) as bar:
    for _ in range(steps):
      clock.now += seconds
      bar.advance()


def test_a_file_gets_a_line_now_and_then(capsys):
  _take(_Clock(), 2.5, 12)
  out, err = capsys.readouterr()
  assert out == ''
  assert err.splitlines() == [
    'work: 4%',
    'work: 8%, 4 min left',
    'work: 12%, 4 min left',
  ]


def test_at_first_nobody_can_tell(capsys):
  clock = _Clock()
  with progress.Progress('work', total=100, clock=clock) as bar:
    bar.advance()
    clock.now = 60.0  # Something is compiled.
    bar.advance()
  assert capsys.readouterr().err == 'work: 2%\n'


def test_what_is_short_needs_no_line(capsys):
  _take(_Clock(), 0.05, 100)
  assert capsys.readouterr() == ('', '')


def test_what_takes_days_gets_no_thousands_of_lines(capsys):
  clock = _Clock()
  with progress.Progress('work', total=100_000, clock=clock) as bar:
    for _ in range(100_000):
      clock.now += 2.0
      bar.advance()
  lines = capsys.readouterr().err.splitlines()
  assert 100 < len(lines) < 800
  assert lines[-1].startswith('work: 99%, ')


def test_time_left_is_of_this_start_alone(capsys):
  clock = _Clock()
  with progress.Progress('work', total=100, done=50, clock=clock) as bar:
    for _ in range(10):
      clock.now += 1.0
      bar.advance()
  assert capsys.readouterr().err == 'work: 60%, 40 s left\n'


def test_a_note_is_told_with_the_next_line(capsys):
  clock = _Clock()
  with progress.Progress('work', total=2, clock=clock) as bar:
    bar.advance()
    bar.say('accuracy 60%')
    clock.now = 20.0
    bar.advance()
  assert capsys.readouterr().err == 'work: 100%, accuracy 60%\n'


def test_of_many_processes_one_tells(capsys):
  _take(_Clock(), 20.0, 3, show=False)
  assert capsys.readouterr() == ('', '')


def test_a_terminal_gets_a_bar_and_no_line(monkeypatch):
  class Terminal(io.StringIO):
    def isatty(self):
      return True

  terminal = Terminal()
  monkeypatch.setattr(sys, 'stderr', terminal)
  monkeypatch.setenv('TERM', 'xterm')
  _take(_Clock(), 20.0, 3)
  said = terminal.getvalue()
  assert '\x1b[' in said  # It moves.
  assert 'work: ' not in said
  assert ' 3%' in said


@pytest.mark.parametrize(
  ('seconds', 'text'),
  [(0, '0 s'), (89, '89 s'), (120, '2 min'), (9000, '2.5 h')],
)
def test_durations(seconds, text):
  assert progress.duration(seconds) == text
