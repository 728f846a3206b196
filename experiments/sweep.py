r"""Trains several systems with several seeds, and compares them.

  python -m experiments.sweep --config=experiments/configs/four_systems.py

Prints a table and writes report.html, and says on the way how far the runs have
come, as --state does at any time. A sweep that was stopped goes on when the
same command is given again: finished runs are not run again. In one process a
run that fails, as where its loss is not finite, stops no other; it is said at
the end, where the exit code is then 1. --config.seeds says how many seeds,
--config.base.FIELD changes what all systems share.

With a grid, every system is run with every combination of some values, which
name the runs and their directories. Fields have their full names, without base,
and --config may describe one run, where --seeds says how many:

  python -m experiments.sweep --config=experiments/configs/digits.py --seeds=3 \
    --grid=loss.name=cross_entropy,mean_absolute_error --grid=noise.rate=0.2,0.4

trains 12 networks, first loss.name=cross_entropy+noise.rate=0.2, seed 0. Values
can be added to what is finished. A file can have a grid of its own, to which
--grid adds, or whose values it replaces: see experiments/grid.py. What differs
in more than a field, such as a loss with its hyper-parameters or a method
beside a plain loss, is a system of a file, as in four_systems.py.

On a cluster, let each task of an array make one run, and when all are finished
give the command without --index, which runs nothing again and reports. Runs are
numbered from 0: all systems with seed 0, then all with seed 1, and so on.

  sbatch --array=0-11 --wrap='python -m experiments.sweep \
    --config=experiments/configs/four_systems.py --workdir=runs/four_systems \
    --index=$SLURM_ARRAY_TASK_ID'

With --together=N, N seeds of a system train at once, in one program vmapped
over the seed. Results are the same but for rounding. That is for GPUs and TPUs,
which small networks do not fill: on a CPU a convolution is slower so, and a
perceptron about as fast. scripts/bench.sh together measures it.
"""

import itertools
import pathlib

from absl import flags
import jax
import ml_collections

from experiments import build
from experiments import devices
from experiments import errors
from experiments import grid
from experiments import groups
from experiments import launch
from experiments import log
from experiments import record
from experiments import sweep_runs
from experiments import table

FLAGS = flags.FLAGS
flags.DEFINE_multi_string(
  'grid',
  None,
  'FIELD=VALUE,VALUE,...: run every system with each of these values of a '
  'field, such as optimizer.learning_rate=0.1,0.01; where --grid is given '
  'several times, with every combination.',
)
flags.DEFINE_integer(
  'seeds',
  None,
  'With how many seeds to run each system of a sweep, from 0; by default '
  'config.seeds, and 1 where --config describes one run.',
  lower_bound=1,
)
flags.DEFINE_integer(
  'together',
  1,
  'How many seeds of a system of a sweep to train at once, in one program.',
  lower_bound=1,
)
flags.DEFINE_bool(
  'state',
  False,
  'Of a sweep, print how far each of its runs has come, and run nothing.',
)
flags.DEFINE_integer(
  'index',
  None,
  'Of a sweep, make this run alone, from 0, and report nothing: for the tasks '
  'of a job array.',
)


def main() -> None:
  """Runs what the flags say."""
  sweeps = _sweeps(FLAGS.config)
  if jax.process_index() == 0:
    print(devices.describe(), flush=True)
  runs_of = {
    folder: sweep_runs.runs(one, folder) for folder, one in sweeps.items()
  }
  if FLAGS.state:
    for folder, runs in runs_of.items():
      sweep_runs.show_state(runs, folder)
    return
  all_runs = list(itertools.chain.from_iterable(runs_of.values()))
  # Of all sweeps, before anything is trained.
  sweep_runs.check_workdirs(all_runs, _workdir())
  if FLAGS.index is not None:
    if FLAGS.together > 1:
      raise errors.UsageError(
        f'--index makes one run alone, and --together={FLAGS.together} several '
        'at once: leave out one of the two'
      )
    _run_one(all_runs, FLAGS.index)
    return
  failed = [
    str(run)
    for folder, one in sweeps.items()
    for run in _run_and_report(one, folder)
  ]
  if failed:
    raise errors.RunError(
      f'{len(failed)} of the runs failed, as is said above, and are not in the '
      f'report: {", ".join(failed)}. The same command tries them again'
    )


def _sweeps(
  config: ml_collections.ConfigDict,
) -> dict[pathlib.Path, ml_collections.ConfigDict]:
  """The sweeps that the flags describe, by the directory of each."""
  if not {'systems', 'sweeps'} & set(config):
    if not FLAGS.grid and not FLAGS.seeds:
      raise errors.UsageError(
        '--config describes one run, not a sweep: give it to '
        'python -m experiments.main, or say --grid or --seeds'
      )
    # The loss may be a field of the grid, and then names no run.
    name = '' if FLAGS.grid else build.title(config)
    config = grid.of_run(config, name)
  if FLAGS.seeds:
    config.seeds = FLAGS.seeds
  sweeps = {_workdir(): config}
  if 'sweeps' in config:
    if 'grid' in config:
      raise errors.UsageError(
        'config.grid is beside config.sweeps, which have grids of their own: '
        'give it to each of them, or say --grid'
      )
    sweeps = {_workdir() / name: one for name, one in config.sweeps.items()}
    for one in sweeps.values():
      one.seeds = config.seeds
  return {
    folder: grid.add(one, FLAGS.grid or ()) for folder, one in sweeps.items()
  }


def _workdir() -> pathlib.Path:
  return pathlib.Path(FLAGS.workdir or f'runs/{launch.config_file().stem}')


def _run_one(all_runs: list[sweep_runs.Run], index: int) -> None:
  if not 0 <= index < len(all_runs):
    raise errors.UsageError(
      f'--index={index} is not in 0..{len(all_runs) - 1}: the sweep has '
      f'{len(all_runs)} run{"" if len(all_runs) == 1 else "s"}'
    )
  sweep_runs.run_some([all_runs[index]], FLAGS.data_dir)


def _run_and_report(
  sweep: ml_collections.ConfigDict, workdir: pathlib.Path
) -> list[pathlib.Path]:
  """Makes the runs, and the report of them; where those are that failed."""
  if sweep.get('sort'):
    errors.check_name('config.sort', sweep.sort, record.RULES)
  summaries, failed = sweep_runs.run(
    sweep, workdir, data_dir=FLAGS.data_dir, together=FLAGS.together
  )
  if jax.process_index() != 0 or not summaries:
    return failed
  # Imported here because plots are slow, and --help need not wait for them.
  from experiments import report_page

  if sweep.get('sort'):
    summaries = table.ranked(summaries, sweep.sort)
  log.write_json(workdir / 'results.json', summaries)
  compared = groups.of_sweep(workdir, sweep, summaries)
  path = report_page.write(workdir, compared)
  table.show(summaries, f'{groups.title(compared)}\nPercent, mean ± deviation')
  print(f'Report: {path.absolute()}')
  return failed


if __name__ == '__main__':
  launch.run(main, doc=__doc__, config='four_systems.py', base='base.')
