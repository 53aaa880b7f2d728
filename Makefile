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
# A virtual screen where there is none (never on macOS, which has no X), from a number on: two begin at once.
screen = $(if $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname)),,xvfb-run --auto-servernum --server-num=$(1) --server-args="-screen 0 1600x1200x24")
# One thread per process: more only get in each other's way in small tests.
pytest = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(call screen,$(1)) $(BIN)/python -m pytest -q

.PHONY: help demo test test-window test-core test-slow lint wheel
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

# Windows need the keyboard, so their tests go one after the other; the rest goes beside them.
test: $(VENV)/.test
	$(MAKE) --no-print-directory --jobs=2 test-window test-core

test-window: $(VENV)/.test
	QT_API=pyqt6 PYTEST_QT_API=pyqt6 $(call pytest,100) -m "window and not slow"
	QT_API=pyqt5 PYTEST_QT_API=pyqt5 $(call pytest,100) tests/napari
	QT_API=pyqt5 PYTEST_QT_API=pyqt5 $(call pytest,100) tests/cli/test_demo_window.py

test-core: $(VENV)/.test
	QT_API=pyqt5 PYTEST_QT_API=pyqt5 $(call pytest,200) -m "not slow and not window" --ignore=tests/napari --numprocesses=2 --dist=loadfile

test-slow: $(VENV)/.test
	QT_API=pyqt5 PYTEST_QT_API=pyqt5 $(call pytest,100) -m slow

lint: $(VENV)/.test $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

wheel: $(VENV)/.test
	$(BIN)/python -m build --outdir dist .
