#!/usr/bin/env bash
# Our networks and every other denoiser that pip installs, on the same files: quality, cost and a picture of both.
#
#   recipes/benchmark.sh                       clips of synthesised voices, small
#   recipes/benchmark.sh CLEAN_DIR NOISY_DIR   your pairs: files of one name, mono at 16 kHz
#
# Leaves OUT/report.md, OUT/scores.csv, OUT/quality.png and what each system made in OUT/cleaned. A package that does not
# install, or whose model is not there, is left out and said so in the report.
#
# Environment, with defaults: OUT (runs/benchmark), JOBS (all cores), VENV (.venv-benchmark), PYTHON (python3).
set -euo pipefail
[ $# -ne 1 ] || { echo "usage: $0 [CLEAN_DIR NOISY_DIR]" >&2; exit 2; }
CLEAN=${1:+$(realpath "$1")} NOISY=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
OUT=${OUT:-runs/benchmark}
JOBS=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
VENV=${VENV:-.venv-benchmark}

[ -x "$VENV/bin/python" ] || "${PYTHON:-python3}" -m venv "$VENV"
[ -x "$VENV/bin/audiodae" ] ||
  "$VENV/bin/pip" install --constraint constraints.txt --editable ".[train,evaluate]"
for package in speechmos noisereduce pyrnnoise webrtc-noise-gain speexdsp-ns dpdfnet deepfilternet; do
  "$VENV/bin/pip" install --quiet --constraint constraints.txt "$package" || echo "$package: does not install here" >&2
done
. "$VENV/bin/activate"

if [ -z "$CLEAN" ]; then
  [ -e "$OUT/corpus" ] || python data_prep/synthesize.py --out "$OUT/corpus"
  python data_prep/prepare_speech.py --speech "$OUT/corpus/speech" --noise "$OUT/corpus/noise" --out "$OUT/data" \
    --simulated-rooms 0 --test-clips 20 --jobs "$JOBS"
  CLEAN=$OUT/data/test/clean NOISY=$OUT/data/test/noisy
fi

audiodae benchmark "$CLEAN" "$NOISY" --out "$OUT" --jobs "$JOBS" --overwrite
