# Sagafoley: `make demo` and `make test` do all set-up by themselves.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# An environment belongs to the folder that it was made in: a copied or moved folder makes its own.
HERE := $(shell pwd -P | cksum | cut -d ' ' -f 1)
RUNTIME := $(VENV)/.runtime-$(HERE)
DEVELOPMENT := $(VENV)/.development-$(HERE)
OUT ?= out/demo
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help environment demo test lint types imports unit parity test-slow golden bench bench-quick bench-desk format clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# Without pip it is half of one: its making was interrupted, or its Python went away. Its programs name its folder.
environment:
	@{ $(BIN)/python -c 'import pip' && grep -qF "$$(pwd -P)/$(VENV)" $(BIN)/activate; } 2>/dev/null || { \
		sh .ci/system-packages venv "$(PYTHON)" && \
		echo '"$(PYTHON)" -m venv $(VENV)' && "$(PYTHON)" -m venv --clear $(VENV); }

$(RUNTIME): pyproject.toml | environment
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[cpu]'
	@touch $@

$(DEVELOPMENT): pyproject.toml | environment
	@sh .ci/system-packages qt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[cpu,panel,export,dev]'
	@touch $@ $(RUNTIME)

demo: $(RUNTIME) ## render the example timeline; the last lines say where to look
	$(BIN)/python examples/demo.py --out $(OUT)

test: lint types imports unit ## everything CI checks: lint, types, import rules, all tests

lint: $(DEVELOPMENT) ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEVELOPMENT) ## mypy, strict
	$(BIN)/mypy
	cd installer && ../$(BIN)/mypy --strict --python-version 3.11 --cache-dir ../.mypy_cache/installer *.py

imports: $(DEVELOPMENT) ## import directions between the rooms
	$(BIN)/lint-imports

unit: $(DEVELOPMENT) ## all tests but the large ones
	$(PYTEST)

parity: $(DEVELOPMENT) ## full-size networks and graphs against the golden vectors (half an hour, 12 GB)
	$(PYTEST) -m parity tests/parity

test-slow: $(DEVELOPMENT) ## large or long checks
	$(PYTEST) -m slow

golden: $(DEVELOPMENT) ## make the golden test bundle again (it must not change)
	$(BIN)/python -m exporter golden -o tests/golden/bundle

bench: $(DEVELOPMENT) ## the engine against PyTorch on the CPU, full size (hours, 9 GB); writes docs/performance.md
	$(BIN)/python -m benchmarks.against_torch

bench-quick: $(DEVELOPMENT) ## the same for the solver, the decoder, a picture and a segment (5 minutes); into out/bench
	$(BIN)/python -m benchmarks.against_torch --quick

bench-desk: $(DEVELOPMENT) ## measure large timelines, window joins and the scene generator
	$(BIN)/python -m benchmarks

format: $(DEVELOPMENT) ## let ruff format and fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the environment and everything made here
	rm -rf $(VENV) out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
