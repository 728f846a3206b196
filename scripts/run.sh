#!/usr/bin/env bash
# Sets up what is missing and runs experiments.
#
#   scripts/run.sh                        the main job: four losses on digits
#                                         with 30% of the labels wrong
#   scripts/run.sh --workdir=DIR --config.seeds=5
#                                         the same, with these flags
#   scripts/run.sh --config=FILE ...      a run, or a sweep, of your own
#   scripts/run.sh --help                 every flag, with its meaning
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh experiments
case " $* " in
  *' --config='* | *' --config '* | *' --help '*)
    exec python -m experiments.main "$@" ;;
  *)
    exec python -m experiments.sweep \
      --config=experiments/configs/four_systems.py "$@" ;;
esac
