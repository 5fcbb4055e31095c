# The commands of the house; `make` alone lists them. Another Python: make demo PYTHON=python3.12
SHELL := bash
PYTHON ?= python3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# An environment is made again when what it is made from has changed: its stamp carries the hash.
DEMO_HASH := $(shell cat pyproject.toml | cksum | cut -d' ' -f1)
TEST_HASH := $(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
DEMO_STAMP := .venv/made-from-$(DEMO_HASH)
TEST_STAMP := .venv-test/made-from-$(TEST_HASH)

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs wheel clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(DEMO_STAMP) ## clean the bundled sample, or your own: make demo IN=my.wav
	@.venv/bin/python demo/demo.py $(if $(IN),"$(IN)")

test: $(TEST_STAMP) ## run the whole suite in its own environment; a part: make test ARGS=tests/prep
	OMP_NUM_THREADS=1 .venv-test/bin/python -m pytest -n 2 $(ARGS)

lint: $(TEST_STAMP) ## ruff and mypy
	.venv-test/bin/ruff check
	.venv-test/bin/ruff format --check
	.venv-test/bin/mypy

format: $(TEST_STAMP) ## let ruff lay the code out
	.venv-test/bin/ruff check --fix
	.venv-test/bin/ruff format

docs: $(TEST_STAMP) ## write the pages that are made from the code
	.venv-test/bin/python docs/generate.py

wheel: $(TEST_STAMP) ## build dist/audiodae-VERSION-py3-none-any.whl
	rm -rf dist
	.venv-test/bin/python -m build --wheel

clean: ## remove environments, caches and what the demo made
	if [ -e .venv/made-by-make ]; then rm -rf .venv; fi
	rm -rf .venv-test .venv-train build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f demo/noisy.wav demo/clean.wav demo/before_after.png
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The light half and what draws the picture; no torch.
$(DEMO_STAMP):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("audiodae needs Python 3.11 or later, this is %d.%d: make demo PYTHON=python3.12" % sys.version_info[:2])'
	@echo "making .venv (once, about a minute)"
	@if [ -e .venv ] && [ ! -e .venv/made-by-make ]; then echo ".venv is not of make's making: move it away first" >&2; exit 1; fi
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@touch .venv/made-by-make
	@.venv/bin/pip install --quiet --no-cache-dir --no-compile --editable ".[plot]"
	@touch $@

$(TEST_STAMP):
	rm -rf .venv-test
	$(PYTHON) -m venv .venv-test
	.venv-test/bin/pip install --quiet --no-cache-dir --constraint constraints.txt --editable ".[train,evaluate,plot,series,dev]"
	touch $@
