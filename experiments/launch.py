"""What every program here does first: flags, processes, caches, errors."""

from collections.abc import Callable
import functools
import os
import pathlib
import sys
import traceback
from typing import NoReturn

from absl import app
from absl import flags
from absl import logging
import jax
from ml_collections import config_flags

from experiments import describe_config
from experiments import devices
from experiments import errors
from experiments.data import source

FLAGS = flags.FLAGS


def run(
  main: Callable[[], None], *, doc: str, config: str, base: str = ''
) -> None:
  """Parses the flags and runs `main`; errors become a line and an exit code.

  Exit codes: 0 done, 1 failed, 2 wrong usage, 143 stopped by a signal,
  130 by Ctrl-C before anything was begun.

  Args:
    main: the program.
    doc: what --help prints first.
    config: the default configuration, a file of experiments/configs.
    base: where it has the fields of a run, such as `base.`.
  """
  sys.modules['__main__'].__doc__ = f'{doc}\n{describe_config.fields(base)}\n'
  path = pathlib.Path(__file__).parent / 'configs' / config
  argv = sys.argv
  # As a flag's default it would be loaded, and changed by --config.FIELD, even
  # where another configuration is given.
  if not any(arg.split('=')[0] in ('--config', '-config') for arg in argv):
    argv = [argv[0], f'--config={path}', *argv[1:]]
  _define_flags(config)
  app.run(functools.partial(_main, main), argv=argv, flags_parser=_parse)


def _define_flags(config: str) -> None:
  config_flags.DEFINE_config_file(
    'config',
    None,
    'A Python file whose get_config() returns the configuration, by default '
    f'experiments/configs/{config}. Change a field with --config.FIELD=VALUE; '
    'the fields are listed above.',
  )
  flags.DEFINE_string(
    'workdir',
    None,
    'Where results and checkpoints go; a run that was stopped there goes on. '
    'By default a directory in runs/ that is named after the configuration.',
  )
  flags.DEFINE_string(
    'data_dir',
    None,
    'Where TFDS keeps its data sets. By default $TFDS_DATA_DIR, or '
    '~/tensorflow_datasets.',
  )
  flags.DEFINE_string(
    'coordinator_address',
    None,
    'HOST:PORT of process 0, for a run of several processes, together with the '
    'next two. On a cluster that JAX knows (Slurm, TPU pods and others) say '
    '--distributed instead.',
  )
  flags.DEFINE_integer('num_processes', None, 'How many processes take part.')
  flags.DEFINE_integer('process_id', None, 'Which of them this is, from 0.')
  flags.DEFINE_bool(
    'distributed',
    False,
    'Ask the cluster for the coordinator and the number of processes.',
  )
  # Flags belong to the module that defines them; --help lists the program's.
  for flag in FLAGS.get_key_flags_for_module(__name__):
    FLAGS.register_key_flag_for_module(sys.argv[0], flag)


def _parse(argv: list[str]) -> list[str]:
  logging.set_verbosity(logging.WARNING)
  try:
    try:
      rest = FLAGS(argv)
    except SystemExit:  # --help is no failure, though absl ends it as one.
      sys.exit(0)
    _check_config_file(config_file())
    if len(rest) > 1:
      raise errors.UsageError(f'{rest[1]!r} is not a flag; see --help')
    _check_process_flags()
    return rest
  except (
    flags.Error,
    errors.UsageError,
    AttributeError,
    ImportError,
    KeyError,
    OSError,
    TypeError,
    ValueError,
  ) as error:
    # Without a word to JAX, which would look for its devices.
    print(f'error: {_line(error)}', file=sys.stderr)
    sys.exit(2)


def config_file() -> pathlib.Path:
  """The file that --config names, without what follows its colon."""
  name = config_flags.get_config_filename(FLAGS['config'])
  return pathlib.Path(name.partition(':')[0])


def _check_config_file(path: pathlib.Path) -> None:
  if not path.is_file():
    known = [
      str(file)
      for file in path.parent.glob('*.py')
      if not file.name.startswith('__')
    ]
    if not known:
      folder = pathlib.Path(__file__).parent / 'configs'
      known = [
        f'experiments/configs/{file.name}'
        for file in folder.glob('*.py')
        if not file.name.startswith('__')
      ]
    raise errors.UsageError(
      f'--config={path} does not exist; {errors.nearest(str(path), known)}'
    )
  # A configuration that failed to load says so when it is looked into.
  _ = 'seed' in FLAGS.config


def _check_process_flags() -> None:
  names = ('coordinator_address', 'num_processes', 'process_id')
  missing = [name for name in names if FLAGS[name].value is None]
  if len(missing) not in (0, 3):
    raise errors.UsageError(f'--{missing[0]} is missing: {names} go together')


def _main(main: Callable[[], None], argv: list[str]) -> None:
  del argv

  def connect_and_run():
    if FLAGS.distributed or FLAGS.coordinator_address:
      devices.connect(
        FLAGS.coordinator_address, FLAGS.num_processes, FLAGS.process_id
      )
    main()

  guard(connect_and_run)


def guard(main: Callable[[], None]) -> None:
  """Runs a program; its errors become a line and an exit code."""
  try:
    devices.cache_compilations()
    main()
  except errors.UsageError as error:
    _fail(error, 2)
  except (errors.RunError, source.DataError) as error:
    _fail(error, 1)
  except errors.StoppedError as error:
    _fail(error, 143)
  except KeyboardInterrupt:
    _fail(errors.StoppedError('stopped before anything was begun'), 130)
  except Exception:
    if jax.process_count() == 1:
      raise
    traceback.print_exc()
    _fail(errors.RunError('this process failed, as shown above'), 1)


def _line(error: BaseException) -> str:
  """What an error says, in one line."""
  while error.args and isinstance(error.args[0], BaseException):
    error = error.args[0]
  text = str(error)
  if isinstance(error, KeyError):
    text = f'--config has no field {error.args[0]}; --help lists them'
  lines = [line.strip() for line in text.splitlines() if line.strip()]
  # Longer than that, it shows code; the first line says what, the last why.
  return ' '.join(lines if len(lines) < 4 else [lines[0], lines[-1]])


def _fail(error: Exception, code: int) -> NoReturn:
  """Prints one line and ends the program."""
  sys.stdout.flush()
  print(f'error: {_line(error)}', file=sys.stderr, flush=True)
  if jax.process_count() > 1:
    # An orderly exit would wait for the processes that are still at work.
    os._exit(code)
  sys.exit(code)
