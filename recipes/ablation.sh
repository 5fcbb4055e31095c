#!/usr/bin/env bash
# What each number of a recipe is worth: recipes/ablation.toml trained row by row, and tables of what came of it.
#
#   recipes/ablation.sh              a synthesised corpus and a few steps a row: to see that it runs
#   recipes/ablation.sh PREPARED     a folder that data_prep/prepare_speech.py made: an hour or two on one core
#
# OUT/ablation.md, .csv and .png are the result. Stopped anywhere, the same command goes on where it stopped.
#
# Environment, with defaults: OUT (runs/ablation, or runs/ablation_small), RECIPE (recipes/ablation.toml), STEPS of a row
# (those of the recipe; without PREPARED 8), JOBS (all cores) for the preparation, VENV (.venv-train), PYTHON to make it
# with (python3). Paths that you give begin where you are; those of the defaults in the repository.
set -euo pipefail
[ $# -le 1 ] || { echo "usage: $0 [PREPARED]" >&2; exit 2; }
absolute() { case $1 in "" | /*) printf %s "$1" ;; *) printf %s "$PWD/$1" ;; esac; } # of what need not be there yet
OUT=$(absolute "${OUT:-}") RECIPE=$(absolute "${RECIPE:-}") VENV=$(absolute "${VENV:-}")
PREPARED=${1:+$(realpath "$1")}
cd "$(dirname "$0")/.."
OUT=${OUT:-runs/ablation$([ -n "$PREPARED" ] || echo _small)}
RECIPE=${RECIPE:-recipes/ablation.toml}
VENV=${VENV:-.venv-train}

[ -x "$VENV/bin/python" ] || "${PYTHON:-python3}" -m venv "$VENV"
[ -x "$VENV/bin/audiodae" ] || "$VENV/bin/pip" install --constraint constraints.txt --editable ".[train,evaluate]"
. "$VENV/bin/activate"

if [ -z "$PREPARED" ]; then
  PREPARED=$OUT/data STEPS=${STEPS:-8}
  [ -e "$OUT/corpus" ] || python data_prep/synthesize.py --out "$OUT/corpus"
  python data_prep/prepare_speech.py --speech "$OUT/corpus/speech" --noise "$OUT/corpus/noise" --out "$PREPARED" \
    --hours 0 --simulated-rooms 50 --test-clips 10 --jobs "${JOBS:-$(getconf _NPROCESSORS_ONLN)}"
fi

audiodae ablate "$RECIPE" --prepared "$PREPARED" --out "$OUT" ${STEPS:+--set "steps=$STEPS"}
