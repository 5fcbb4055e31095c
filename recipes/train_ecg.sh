#!/usr/bin/env bash
# Train an ECG denoiser: from records and noise to a network file that `audiodae clean record.csv --model` takes.
#
#   recipes/train_ecg.sh                       made-up patients and noise, small: to see that it works, in minutes
#   recipes/train_ecg.sh RECORDS_DIR NOISE_DIR your records (WFDB, EDF, CSV, NPY) and recordings of noise, in full
#
# Folders train and valid in both are kept as the split, else whole patients are dealt out; see
# data_prep/prepare_ecg.py --help. Where both have a folder test (annotated WFDB records at 360 Hz; bw, em and ma), the
# network is scored on it. Stopped anywhere, the same command goes on where it stopped.
#
# Environment, with defaults: OUT (runs/ecg, or runs/ecg_small), DATA (OUT/data), RECIPE (recipes/train_ecg.toml, or
# train_ecg_small.toml), VENV (.venv-train), PYTHON to make it with (python3). Paths that you give begin where you are;
# those of the defaults in the repository.
set -euo pipefail
[ $# -eq 0 ] || [ $# -eq 2 ] || { echo "usage: $0 [RECORDS_DIR NOISE_DIR]" >&2; exit 2; }
absolute() { case $1 in "" | /*) printf %s "$1" ;; *) printf %s "$PWD/$1" ;; esac; } # of what need not be there yet
OUT=$(absolute "${OUT:-}") DATA=$(absolute "${DATA:-}") RECIPE=$(absolute "${RECIPE:-}") VENV=$(absolute "${VENV:-}")
RECORDS=${1:+$(realpath "$1")} NOISE=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
SIZE=$([ $# -gt 0 ] || echo _small)
OUT=${OUT:-runs/ecg$SIZE}
DATA=${DATA:-$OUT/data}
RECIPE=${RECIPE:-recipes/train_ecg$SIZE.toml}
VENV=${VENV:-.venv-train}

# torch and what goes with it, in an environment of its own
[ -x "$VENV/bin/python" ] || "${PYTHON:-python3}" -m venv "$VENV"
[ -x "$VENV/bin/audiodae" ] || "$VENV/bin/pip" install --constraint constraints.txt --editable ".[train,evaluate,series]"
. "$VENV/bin/activate"

python data_prep/prepare_ecg.py ${RECORDS:+--records "$RECORDS" --noise "$NOISE"} --out "$DATA"

audiodae train "$RECIPE" --out "$OUT" --set "data.prepared=$DATA" $([ ! -e "$OUT/last.safetensors" ] || echo --resume)

audiodae export "$OUT" "$OUT/ecg.onnx" --overwrite

[ -d "$RECORDS/test" ] && [ -d "$NOISE/test" ] || exit 0

audiodae evaluate-ecg "$RECORDS/test" "$NOISE/test" --model "$OUT/ecg.onnx" --out "$OUT/report" --overwrite

# once more, with these figures in its card
audiodae export "$OUT" "$OUT/ecg.onnx" --metrics "$OUT/report/report.json" --overwrite
