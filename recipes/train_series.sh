#!/usr/bin/env bash
# Train a denoiser for a sensor of your own: from recordings to a network file for `audiodae clean FILE.csv OUT.csv`.
#
#   RATE=1000 recipes/train_series.sh CLEAN NOISE    recordings without noise, and of noise alone
#   RATE=100 recipes/train_series.sh NOISY           nothing but noisy recordings: for noise that is independent from
#                                                    sample to sample, and no other; see docs/training.md
#
# Each is a folder or a file: CSV, NPY, Parquet, WFDB or EDF. Folders train and valid in it are kept as the split; else
# whole files are dealt out, and of noise, or of a single recording, the end is held out. Stopped anywhere, the same
# command goes on where it stopped.
#
# Environment: RATE (Hz, needed; other rates are resampled), and with defaults OUT (runs/series), DATA (OUT/data),
# RECIPE (recipes/train_series.toml), UNIT for the card (none), LEADS (names or numbers of columns, 1,3; all),
# TIME_COLUMN (looked for), HIGH_PASS (Hz; 0: clean recordings keep their slow course), VENV (.venv-train), PYTHON to
# make it with (python3). Paths that you give begin where you are; those of the defaults in the repository.
set -euo pipefail
{ [ $# -eq 1 ] || [ $# -eq 2 ]; } && [ -n "${RATE:-}" ] || { echo "usage: RATE=HZ $0 CLEAN NOISE, or NOISY" >&2; exit 2; }
absolute() { case $1 in "" | /*) printf %s "$1" ;; *) printf %s "$PWD/$1" ;; esac; } # of what need not be there yet
OUT=$(absolute "${OUT:-}") DATA=$(absolute "${DATA:-}") RECIPE=$(absolute "${RECIPE:-}") VENV=$(absolute "${VENV:-}")
FIRST=$(realpath "$1") NOISE=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
OUT=${OUT:-runs/series}
DATA=${DATA:-$OUT/data}
RECIPE=${RECIPE:-recipes/train_series.toml}
VENV=${VENV:-.venv-train}

# torch and what goes with it, in an environment of its own
[ -x "$VENV/bin/python" ] || "${PYTHON:-python3}" -m venv "$VENV"
[ -x "$VENV/bin/audiodae" ] || "$VENV/bin/pip" install --constraint constraints.txt --editable ".[train,evaluate,series]"
. "$VENV/bin/activate"

[ -n "$NOISE" ] && WHAT=(--clean "$FIRST" --noise "$NOISE") || WHAT=(--noisy "$FIRST")
python data_prep/prepare_series.py "${WHAT[@]}" --out "$DATA" --rate "$RATE" ${LEADS:+--columns "$LEADS"} \
  ${TIME_COLUMN:+--time-column "$TIME_COLUMN"} --high-pass "${HIGH_PASS:-0}"

# of noisy recordings hidden samples are judged, by their mean square; they keep their speed, and so the network its rate
[ -n "$NOISE" ] && HOW=() || HOW=(--set data.series.masked_share=0.05 --set "data.series.speed=[1.0, 1.0]" \
  --set loss.snr=0.0 --set loss.mse=1.0)
audiodae train "$RECIPE" --out "$OUT" --set "data.prepared=$DATA" --set "network.wave.rate_hz=$RATE" \
  --set "network.wave.level_seconds=$(awk "BEGIN { print 2880 / $RATE }")" ${UNIT:+--set "network.wave.unit=$UNIT"} \
  ${HOW[@]+"${HOW[@]}"} $([ ! -e "$OUT/last.safetensors" ] || echo --resume)

audiodae export "$OUT" "$OUT/series.onnx" --overwrite
