# make demo    open napari on the bundled recording; without a screen, write tables, report and pictures to demo-out/
# make test    the tests, window tests under PyQt5 and PyQt6
# make test-slow, make lint, make wheel
# Each makes .venv and installs into it what it needs; a second time it uses what is there.

.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13,$(shell command -v python$(v))) python3)
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# A virtual screen where there is none (never on macOS, which has no X).
SCREEN := $(if $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname)),,xvfb-run --auto-servernum --server-args="-screen 0 1600x1200x24")
# One thread per process: more only get in each other's way in small tests.
PYTEST := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(SCREEN) $(BIN)/python -m pytest

.PHONY: help demo test test-slow lint wheel
help:
	@sed -n 's/^# //p' Makefile | head -5

$(VENV)/.system: .ci/system-libraries.sh
	@mkdir -p $(VENV)
	@.ci/system-libraries.sh
	@touch $@

$(VENV)/.made: | $(VENV)/.system
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "SAM2Flow needs Python 3.11 or newer; found $$($(PYTHON) --version). Say which with: make PYTHON=..." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.gui: pyproject.toml setup.py constraints.txt | $(VENV)/.made
	@echo "Installing SAM2Flow and napari (some minutes the first time) ..."
	@$(PIP_INSTALL) --editable ".[gui]"
	@touch $@

$(VENV)/.test: pyproject.toml setup.py constraints.txt | $(VENV)/.made
	@echo "Installing SAM2Flow, napari and the test tools (some minutes the first time) ..."
	@$(PIP_INSTALL) --editable ".[gui,pyqt6,test]"
	@# By itself, or its build would fetch another torch.
	@SAM2_BUILD_CUDA=0 $(PIP_INSTALL) --no-deps --no-build-isolation sam2
	@touch $@ $(VENV)/.gui

$(VENV)/.dev: pyproject.toml setup.py constraints.txt | $(VENV)/.made
	@$(PIP_INSTALL) --editable ".[dev]"
	@touch $@

demo: $(VENV)/.gui
	$(BIN)/sam2flow demo

test: $(VENV)/.test
	QT_API=pyqt6 PYTEST_QT_API=pyqt6 $(PYTEST) -q -m "window and not slow"
	QT_API=pyqt5 PYTEST_QT_API=pyqt5 $(PYTEST) -q tests/napari
	QT_API=pyqt5 PYTEST_QT_API=pyqt5 $(PYTEST) -q --ignore=tests/napari --numprocesses=2 --dist=loadfile

test-slow: $(VENV)/.test
	QT_API=pyqt5 PYTEST_QT_API=pyqt5 $(PYTEST) -q -m slow

lint: $(VENV)/.test $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

wheel: $(VENV)/.test
	$(BIN)/python -m build --outdir dist .
