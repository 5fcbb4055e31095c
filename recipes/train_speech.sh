#!/usr/bin/env bash
# Train a speech denoiser: from recordings to a network file that `audiodae clean` takes.
#
#   recipes/train_speech.sh                                  a synthesised corpus, small: under 15 minutes on 2 cores
#   recipes/train_speech.sh SPEECH_DIR NOISE_DIR [RIR_DIR]   your recordings, in full
#
# SPEECH_DIR/SPEAKER/*.flac and NOISE_DIR/KIND/*.wav may be of any format, rate and depth of folders; folders train,
# valid and test at the top are kept as the split. RIR_DIR holds room impulse responses. The numbers of the run are in
# RECIPE. Stopped anywhere, the same command goes on where it stopped.
#
# Environment, with defaults: OUT (runs/speech, or runs/speech_small), DATA (OUT/data), RECIPE (recipes/train_speech.toml,
# or train_speech_small.toml), HOURS of pairs to write beforehand (0: mixed while training), ROOMS to simulate (200),
# NOISES and VOICES to make up beside yours (240, 110), CLIPS to test on (50), MIN_CLEAN_DB that speech must stand above
# its background (any), SPEAKER_DEPTH (guessed), JOBS (all cores), VENV (.venv-train), PYTHON to make it with (python3).
# Paths that you give begin where you are; those of the defaults in the repository.
set -euo pipefail
[ $# -ne 1 ] || { echo "usage: $0 [SPEECH_DIR NOISE_DIR [RIR_DIR]]" >&2; exit 2; }
absolute() { case $1 in "" | /*) printf %s "$1" ;; *) printf %s "$PWD/$1" ;; esac; } # of what need not be there yet
OUT=$(absolute "${OUT:-}") DATA=$(absolute "${DATA:-}") RECIPE=$(absolute "${RECIPE:-}") VENV=$(absolute "${VENV:-}")
SPEECH=${1:+$(realpath "$1")} NOISE=${2:+$(realpath "$2")} RIR=${3:+$(realpath "$3")}
cd "$(dirname "$0")/.."
SIZE=$([ $# -gt 0 ] || echo _small)
OUT=${OUT:-runs/speech$SIZE}
DATA=${DATA:-$OUT/data}
RECIPE=${RECIPE:-recipes/train_speech$SIZE.toml}
JOBS=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
VENV=${VENV:-.venv-train}

# torch and what goes with it, in an environment of its own
[ -x "$VENV/bin/python" ] || "${PYTHON:-python3}" -m venv "$VENV"
[ -x "$VENV/bin/audiodae" ] || "$VENV/bin/pip" install --constraint constraints.txt --editable ".[train,evaluate]"
. "$VENV/bin/activate"

# voices and noises from nothing, where there are no recordings
[ -n "$SPEECH" ] || [ -e "$OUT/corpus" ] || python data_prep/synthesize.py --out "$OUT/corpus"

python data_prep/prepare_speech.py --speech "${SPEECH:-$OUT/corpus/speech}" --noise "${NOISE:-$OUT/corpus/noise}" \
  ${RIR:+--rir "$RIR"} --out "$DATA" --hours "${HOURS:-0}" --simulated-rooms "${ROOMS:-200}" \
  ${SPEECH:+--simulated-noises "${NOISES:-240}" --changed-voices "${VOICES:-110}"} \
  --test-clips "${CLIPS:-50}" ${MIN_CLEAN_DB:+--min-clean-db "$MIN_CLEAN_DB"} \
  ${SPEAKER_DEPTH:+--speaker-depth "$SPEAKER_DEPTH"} --jobs "$JOBS"

audiodae train "$RECIPE" --out "$OUT" --set "data.prepared=$DATA" $([ ! -e "$OUT/last.safetensors" ] || echo --resume)

audiodae export "$OUT" "$OUT/speech.onnx" --overwrite

audiodae evaluate "$DATA/test/clean" "$DATA/test/noisy" --model "$OUT/speech.onnx" \
  --out "$OUT/report" --overwrite --jobs "$JOBS"

# once more, with these figures in its card
audiodae export "$OUT" "$OUT/speech.onnx" --metrics "$OUT/report/report.json" --overwrite

audiodae clean "$DATA/test/noisy/000.flac" "$OUT/example.flac" --model "$OUT/speech.onnx" --overwrite
