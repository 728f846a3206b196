#!/usr/bin/env bash
# Makes `python` a Python that can run this checkout, installing what is
# missing. Sourced by the other scripts:  . scripts/setup.sh EXTRA[,EXTRA...]
#
# The active environment (venv, conda) is used if there is one, otherwise
# .venv in the checkout. $PYTHON names the interpreter that .venv is made of,
# $EXTRAS adds extras of setup.cfg, such as cuda or tpu.

fail() {
  echo "error: $*" >&2
  exit 1
}

recent_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if recent_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

setup() {
  local extras=$1${EXTRAS:+,$EXTRAS} python prefix stamp log
  prefix=${VIRTUAL_ENV:-${CONDA_PREFIX:-}}
  if [ -n "$prefix" ]; then
    recent_enough "$prefix/bin/python" || fail "Python 3.11 or newer is" \
      "needed, and the active environment $prefix has an older one or none:" \
      "deactivate it, or activate another"
  else
    prefix=$PWD/.venv
    if ! recent_enough "$prefix/bin/python"; then
      python=$(find_python) || fail "Python 3.11 or newer is needed, and" \
        "${PYTHON:-python3} is older or missing: install one, or name it as" \
        "PYTHON=/path/to/python3.11 $0"
      "$python" -c 'import venv, ensurepip' 2>/dev/null || fail "$python has" \
        "no venv module: install it (Debian: apt install python3-venv)"
      echo "Making $prefix with $("$python" --version)" >&2
      rm -rf "$prefix"
      "$python" -m venv "$prefix" >&2 || fail "$python cannot make $prefix"
    fi
  fi
  PATH=$prefix/bin:$PATH
  export PATH

  # The stamp is written last, so an interrupted installation starts again.
  stamp=$prefix/.noisy_labels-${extras//,/-}
  if ! [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ]; then
    log=$prefix/.noisy_labels-install.log
    echo "Installing noisy-labels[$extras] into $prefix (a few minutes)" >&2
    python -m pip install --editable ".[$extras]" >"$log" 2>&1 || fail \
      "the installation failed; is a package registry within reach?" \
      "pip's words are in $log"
    fingerprint >"$stamp" || fail "cannot write $stamp"
  fi
}

# What the installation depends on: this checkout, its setup and the Python.
fingerprint() {
  { pwd && python --version && cat setup.cfg; } | cksum
}

setup "$1"
