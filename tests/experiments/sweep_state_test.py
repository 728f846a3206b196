import json

import pytest

from experiments import sweep_state


def write(folder, epochs, *, accuracy=None, tail=''):
  folder.mkdir(parents=True)
  lines = [
    json.dumps({'epoch': epoch + 1, 'seconds': 30.0}) for epoch in range(epochs)
  ]
  (folder / 'metrics.jsonl').write_text('\n'.join([*lines, tail]))
  if accuracy is not None:
    summary = {'last': {'test_accuracy': accuracy}}
    (folder / 'summary.json').write_text(json.dumps(summary))
  return folder


def test_a_run_is_waiting_under_way_or_finished(tmp_path):
  nothing = sweep_state.of_run(tmp_path / 'nothing', 4)
  assert nothing == sweep_state.State(0.0, 0.0)
  half = sweep_state.of_run(write(tmp_path / 'half', 2), 4)
  assert half == sweep_state.State(60.0, 0.5)
  done = sweep_state.of_run(write(tmp_path / 'done', 4, accuracy=0.9), 4)
  assert done == sweep_state.State(120.0, 1.0, True, 0.9)


def test_half_a_line_of_a_run_that_goes_on_is_no_epoch(tmp_path):
  folder = write(tmp_path / 'run', 1, tail='{"epoch": 2, "sec')
  assert sweep_state.of_run(folder, 4).share == 0.25


def test_time_left_is_by_epochs():
  waiting = sweep_state.State(0.0, 0.0)
  half = sweep_state.State(60.0, 0.5)
  done = sweep_state.State(120.0, 1.0, True, 0.9)
  assert sweep_state.seconds_left([waiting, waiting]) is None
  assert sweep_state.seconds_left([waiting, half]) == pytest.approx(180.0)
  assert sweep_state.seconds_left([done]) == 0.0


def test_the_table_has_every_run(capsys):
  states = {
    ('one', 0): sweep_state.State(120.0, 1.0, True, 0.912),
    ('other', 0): sweep_state.State(60.0, 0.5),
    ('one', 1): sweep_state.State(0.0, 0.0),
    ('other', 1): sweep_state.State(120.0, 1.0, True),
  }
  sweep_state.show(states, 'runs/both')
  text = capsys.readouterr().out
  assert 'runs/both: 2 of 4 runs are finished, 3 min left' in text
  rows = [line.split('│')[1:-1] for line in text.splitlines() if '│' in line]
  rows = [[cell.strip() for cell in row] for row in rows]
  assert rows == [['one', '91.2', '-'], ['other', 'at 50%', 'finished']]
