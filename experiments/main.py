r"""Trains one model on wrong labels and says what became of it.

  python -m experiments.main --config=experiments/configs/digits.py \
    --config.loss.name=mixture_cross_entropy --config.loss.noise_rate=0.33

A run that was stopped goes on when the same command is given again.
"""

import hashlib
import json
import pathlib

from absl import flags
import jax

from experiments import build
from experiments import devices
from experiments import errors
from experiments import groups
from experiments import launch
from experiments import loop
from experiments import sweep
from experiments import table

FLAGS = flags.FLAGS
# A sweep may be given here, too.
flags.adopt_module_key_flags(sweep)


def main() -> None:
  """Runs what the flags say."""
  config = FLAGS.config
  if {'systems', 'sweeps'} & set(config) or FLAGS.grid or FLAGS.seeds:
    sweep.main()
    return
  if FLAGS.state:
    raise errors.UsageError(
      '--state is of a sweep, and --config describes one run'
    )
  if FLAGS.index is not None:
    raise errors.UsageError(
      '--index chooses a run of a sweep, and --config describes one run'
    )
  workdir = FLAGS.workdir or default_workdir()
  writes = jax.process_index() == 0
  if writes:
    print(devices.describe(), flush=True)
  summary = loop.run(
    config, workdir, data_dir=FLAGS.data_dir, title=build.title(config)
  )
  if writes:
    # Imported here because plots are slow, and --help need not wait for them.
    from experiments import report_page

    workdir = pathlib.Path(workdir)
    path = report_page.write(workdir, groups.of_run(workdir, config, summary))
    table.show_run(build.title(config), summary)
    print(f'Everything is in {workdir}\nReport: {path.absolute()}')


def default_workdir() -> str:
  """A directory for exactly this configuration."""
  text = json.dumps(FLAGS.config.to_dict(), sort_keys=True)
  digest = hashlib.sha256(text.encode()).hexdigest()[:8]
  return f'runs/{launch.config_file().stem}-{digest}'


if __name__ == '__main__':
  launch.run(main, doc=__doc__, config='digits.py')
