#!/bin/sh
# Ten minutes of a GPU, used whole: from the shipped weights to better ones in FOLDER, which is usable every minute.
#
#   scripts/train_on_gpu.sh FOLDER [--minutes 9.5] [--stage together] [--resume FILE]
#
# Needs Python 3.11 or newer with torch, numpy, scipy, scikit-image, timm, safetensors, lightning and tensorboard, no
# network and no installation. FOLDER gets better.safetensors (the averaged weights), better.best.safetensors (those
# that did best on the development recordings), the training state in pieces under 16 MiB
# (cat better.safetensors.resume.0* > better.resume, then --resume better.resume goes on), TensorBoard curves, and
# figures.json: development figures before and after, clips/s, pairs/s, the wait for a click, memory.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 \
    exec "${PYTHON:-python3}" -m sam2flow_core.training.on_gpu "$@" --started "$(date +%s)"
