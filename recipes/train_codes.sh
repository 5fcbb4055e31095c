#!/bin/bash
# From recordings to a patch autoencoder of speech, the one that encode, search, anomaly and augment use:
#
#   recipes/train_codes.sh SPEECH_DIR NOISE_DIR    your recordings
#   recipes/train_codes.sh                         made-up words in made-up voices, in made-up noise
#
# Settings, as environment variables: OUT (run folder, default runs/codes), RECIPE, VENV (.venv-train).
# Relative paths begin where you are.
set -euo pipefail
[ $# -eq 0 ] || [ $# -eq 2 ] || { echo "usage: $0 [SPEECH_DIR NOISE_DIR]" >&2; exit 2; }
absolute() { case $1 in "" | /*) printf %s "$1" ;; *) printf %s "$PWD/$1" ;; esac; }
OUT=$(absolute "${OUT:-}") RECIPE=$(absolute "${RECIPE:-}") VENV=$(absolute "${VENV:-}")
SPEECH=${1:+$(realpath "$1")} NOISE=${2:+$(realpath "$2")}
cd "$(dirname "$0")/.."
OUT=${OUT:-runs/codes} RECIPE=${RECIPE:-recipes/train_codes.toml} VENV=${VENV:-.venv-train}

[ -x "$VENV/bin/python" ] || "${PYTHON:-python3}" -m venv "$VENV"
[ -x "$VENV/bin/audiodae" ] || "$VENV/bin/pip" install --constraint constraints.txt --editable ".[train,evaluate]"
. "$VENV/bin/activate"

audiodae train "$RECIPE" ${SPEECH:+--data "$SPEECH"} --out "$OUT" ${NOISE:+--set "corruption.noise=$NOISE"}

audiodae export "$OUT" "$OUT/speech-codes.safetensors" --overwrite
