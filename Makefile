# Sagafoley: `make demo` and `make test` do all set-up by themselves.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/demo
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test lint types imports unit parity test-slow golden bench format clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/python:
	@sh .ci/system-packages venv "$(PYTHON)"
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[cpu]'
	@touch $@

$(VENV)/.development: pyproject.toml | $(BIN)/python
	@sh .ci/system-packages qt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[cpu,export,dev]'
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime ## render the example timeline; the last lines say where to look
	$(BIN)/python examples/demo.py --out $(OUT)

test: lint types imports unit ## everything CI checks: lint, types, import rules, all tests

lint: $(VENV)/.development ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.development ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/.development ## import directions between the rooms
	$(BIN)/lint-imports

unit: $(VENV)/.development ## all tests but the large ones
	$(PYTEST)

parity: $(VENV)/.development ## full-size networks and graphs against the golden vectors (minutes, 12 GB)
	$(PYTEST) -m parity tests/parity

test-slow: $(VENV)/.development ## large or long checks
	$(PYTEST) -m slow

golden: $(VENV)/.development ## make the golden test bundle again (it must not change)
	$(BIN)/python -m exporter golden -o tests/golden/bundle

bench: $(VENV)/.development ## figures of docs/performance.md
	$(BIN)/python -m benchmarks

format: $(VENV)/.development ## let ruff format and fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the environment and everything made here
	rm -rf $(VENV) out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
