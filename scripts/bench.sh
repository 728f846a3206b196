#!/usr/bin/env bash
# Sets up what is missing and measures the cost of a part of the library.
#
#   scripts/bench.sh losses               the losses against plain cross entropy
#   scripts/bench.sh fused                memory of a loss fused with its layer
#   scripts/bench.sh estimation           the confident joint against cleanlab
#   scripts/bench.sh methods              a step of every method
#   scripts/bench.sh together             several seeds in one program
#   scripts/bench.sh estimators           every estimator with 10,000 classes
#   scripts/bench.sh detection            finding wrong labels, against cleanlab
#   scripts/bench.sh detection_curves     the same over examples and classes
#   scripts/bench.sh interval             intervals of the number of wrong labels
#   scripts/bench.sh losses --help        what can be chosen
#
# EXTRAS=bench installs PyTorch too, to compare with.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in
  losses|fused|estimation|estimators|detection|methods|together) ;;
  detection_curves|interval) ;;
  *)
    echo "usage: scripts/bench.sh losses|fused|estimation|estimators|detection|detection_curves|interval|methods|together [--help] [ARGUMENT...]" >&2
    exit 2 ;;
esac
. scripts/setup.sh dev
exec python -m "experiments.bench.$1" "${@:2}"
