#!/usr/bin/env bash
# Sets up what is missing and runs lint, types and tests.
#
#   scripts/test.sh                       everything
#   scripts/test.sh tests/losses -k sum   lint, types, and the tests so named
#   scripts/test.sh -m slow               the tests that the suite leaves out
#
# Tests compile without optimisation, to save time. To test the machine code
# that users run:
#
#   XLA_FLAGS="--xla_backend_optimization_level=3 \
#     --xla_cpu_use_fusion_emitters=true" scripts/test.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh dev
ruff check .
ruff format --check .
mypy
exec python -m pytest -n logical --maxprocesses 8 "$@"
