#!/usr/bin/env bash
# The wheel, installed into an environment of its own and driven there: .ci/wheel-in-clean-environment.sh FOLDER
# FOLDER is made, and holds some gigabytes afterwards. PYTHON says with which Python (default: python3).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
cd "$1"
python=${PYTHON:-python3}
"$python" -m venv environment
environment/bin/python -m pip install --quiet --disable-pip-version-check build
environment/bin/python -m build --wheel --outdir dist "$root"
environment/bin/python -m pip install --quiet --disable-pip-version-check \
	--constraint "$root/constraints.txt" "$(echo dist/sam2flow-*.whl)[gui]"
environment/bin/npe2 validate sam2flow
HOME=$PWD/home xvfb-run --auto-servernum --server-args="-screen 0 1600x1200x24" \
	environment/bin/python "$root/.ci/drive_plugin.py"
