#!/bin/bash
# Every family of autoencoders on spoken and on handwritten digits, and a report: runs/families/report.html.
#
#   recipes/compare_autoencoders.sh [DIGITS_DIR] [HANDWRITTEN_DIR]
#
# DIGITS_DIR holds recordings SPEAKER_DIGIT_TAKE.flac (.wav, ...), HANDWRITTEN_DIR images and labels as IDX files. Without
# them, or for "": made-up words in made-up voices, and scikit-learn's digits. Stopped, the same command goes on.
# Settings, as environment variables: OUT (default runs/families), RECIPE, JOBS (default: one a CPU core),
# VENV (.venv-train). Relative paths begin where you are.
set -euo pipefail
[ $# -le 2 ] || { echo "usage: $0 [DIGITS_DIR] [HANDWRITTEN_DIR]" >&2; exit 2; }
absolute() { case $1 in "" | /*) printf %s "$1" ;; *) printf %s "$PWD/$1" ;; esac; }
OUT=$(absolute "${OUT:-}") RECIPE=$(absolute "${RECIPE:-}") VENV=$(absolute "${VENV:-}")
DIGITS=${1:+$(realpath "$1")} HANDWRITTEN=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
OUT=${OUT:-runs/families} RECIPE=${RECIPE:-recipes/compare_autoencoders.toml} VENV=${VENV:-.venv-train}

[ -x "$VENV/bin/python" ] || "${PYTHON:-python3}" -m venv "$VENV"
[ -x "$VENV/bin/audiodae" ] || "$VENV/bin/pip" install --constraint constraints.txt --editable ".[train,evaluate]"
. "$VENV/bin/activate"

audiodae compare "$RECIPE" --out "$OUT" --jobs "${JOBS:-$(getconf _NPROCESSORS_ONLN)}" \
  ${DIGITS:+--spoken "$DIGITS"} ${HANDWRITTEN:+--handwritten "$HANDWRITTEN"}
