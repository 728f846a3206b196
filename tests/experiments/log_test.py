import math

from experiments import log


def _metrics(workdir, resume_step):
  return log.Metrics(workdir, resume_step=resume_step, write=True)


def test_resuming_drops_what_came_after_the_checkpoint(tmp_path):
  metrics = _metrics(tmp_path, 0)
  for step in (10, 20, 30):
    metrics.add({'step': step, 'loss': 1 / step})
  metrics.close()
  metrics = _metrics(tmp_path, 20)
  metrics.add({'step': 30, 'loss': 7.0})
  metrics.close()
  lines = log.read(tmp_path / 'metrics.jsonl')
  assert [(line['step'], line['loss']) for line in lines] == [
    (10, 0.1),
    (20, 0.05),
    (30, 7.0),
  ]


def test_a_line_cut_off_by_a_crash_is_dropped(tmp_path):
  metrics = _metrics(tmp_path, 0)
  metrics.add({'step': 10, 'loss': 0.5})
  metrics.close()
  with (tmp_path / 'metrics.jsonl').open('a') as file:
    file.write('{"step": 20, "lo')
  metrics = _metrics(tmp_path, 20)
  assert metrics.history == [{'step': 10, 'loss': 0.5}]
  metrics.add({'step': 20, 'loss': 0.25})
  metrics.close()
  assert len(log.read(tmp_path / 'metrics.jsonl')) == 2


def test_nan_is_null_in_the_file_and_nan_again_when_read(tmp_path):
  metrics = _metrics(tmp_path, 0)
  metrics.add({'step': 1, 'memorised': math.nan})
  metrics.close()
  assert 'null' in (tmp_path / 'metrics.jsonl').read_text()
  assert math.isnan(log.read(tmp_path / 'metrics.jsonl')[0]['memorised'])


def test_other_processes_remember_but_do_not_write(tmp_path):
  metrics = log.Metrics(tmp_path, resume_step=0, write=False)
  metrics.add({'step': 1, 'loss': 0.5})
  metrics.close()
  assert metrics.history == [{'step': 1, 'loss': 0.5}]
  assert not list(tmp_path.iterdir())
