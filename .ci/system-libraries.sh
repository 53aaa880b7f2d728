#!/usr/bin/env bash
# Install what Qt, OpenGL and a virtual screen need on Debian and its relatives; elsewhere there is nothing to do.
# Without the right to install, say exactly what is missing.
set -euo pipefail

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0

wanted=(
  python3-venv                                   # python -m venv
  xvfb xauth                                     # a screen where there is none
  libgl1 libegl1 libgl1-mesa-dri                 # OpenGL, in software
  libglib2.0-0 libdbus-1-3 libfontconfig1        # Qt itself
  libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0
  libxcb-render-util0 libxcb-shape0 libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1
)

missing=()
for package in "${wanted[@]}"; do
  if [ "$package" = python3-venv ] && python3 -c 'import ensurepip' 2>/dev/null; then continue; fi
  # The second name is the one since the 64-bit change of time_t (Debian 13, Ubuntu 24.04).
  found=$(dpkg-query -W -f='${Status}\n' "$package" "${package}t64" 2>/dev/null || true)
  [[ $found == *"ok installed"* ]] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  printf 'Some system libraries are missing. Install them, then run make again:\n\n  sudo apt-get install %s\n\n' "${missing[*]}" >&2
  exit 1
fi
echo "Installing system libraries: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
