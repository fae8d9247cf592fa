# The two commands are `make up` and `make test`. They need Python 3.11 or newer and make.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The one tool that setup takes unhashed; everything else comes from requirements.lock.
UV_VERSION := 0.13.9
UV := $(BIN)/uv
MEMBERS := shared services/api services/downloader services/inference cli web
PACKAGES := sirene_shared sirene_api sirene_downloader sirene_inference sirene_cli
STAMP := $(VENV)/.sirene-setup
# The web UI is built again when one of its sources is newer than this.
UI := $(VENV)/.sirene-web
UI_SOURCES := $(shell find web/src -type f) $(addprefix web/,index.html package.json package-lock.json .npmrc tsconfig.json vite.config.ts hatch_build.py)
# What lint and tests of the web UI need beside what builds it.
UI_TOOLS := web/node_modules/.package-lock.json
# A file's tests stay together: they share the product that the file has started.
TEST_ARGS ?= -n 2 --dist loadfile
# Browsers take both cores: these run after the others, some of which look at the clock.
BROWSER_TESTS := tests/e2e/web

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make the environment in .venv, exactly as locked

$(STAMP): requirements.lock requirements-build.lock requirements-torch.txt $(addsuffix /pyproject.toml,$(MEMBERS))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Sirene needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test "$$($(UV) --version 2>/dev/null | cut -d' ' -f2)" = "$(UV_VERSION)" || $(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	VIRTUAL_ENV=$(abspath $(VENV)) $(UV) pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet -r requirements-torch.txt
	VIRTUAL_ENV=$(abspath $(VENV)) $(UV) pip install --quiet --no-deps --build-constraints requirements-build.lock $(addprefix -e ,$(MEMBERS))
	touch $@

$(UI): $(STAMP) $(UI_SOURCES)
	VIRTUAL_ENV=$(abspath $(VENV)) $(UV) pip install --quiet --no-deps --build-constraints requirements-build.lock -e web
	test -f web/sirene_web/not_built.txt || touch $@ # else it is tried again the next time

$(UI_TOOLS): $(STAMP) web/package-lock.json
	tools/npm --prefix web ci --ignore-scripts --no-audit --no-fund
	touch $@

up: setup $(UI) ## Start the whole product and print its address
	$(BIN)/sirene up $(UP_ARGS)

test: setup $(UI) $(UI_TOOLS) chromium ## Run all tests but the slow ones
	$(BIN)/python -m pytest $(TEST_ARGS) --ignore $(BROWSER_TESTS)
	$(BIN)/python -m pytest $(TEST_ARGS) $(BROWSER_TESTS)

test-slow: setup $(UI) $(UI_TOOLS) chromium ## Run the soak and chaos suites too
	$(BIN)/python -m pytest -m "slow or not slow" $(TEST_ARGS)

chromium: ## Install Chromium for the tests, by the system's package manager where it can
	tools/chromium

check: setup $(UI_TOOLS) ## Lint, types and import rule
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(addprefix -p ,$(PACKAGES))
	$(BIN)/lint-imports
	tools/npm --prefix web run --silent check
	tools/web-schema --check

fix: setup ## Format, and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

web-schema: setup $(UI_TOOLS) ## Write the web UI's types of the API anew
	tools/web-schema

screenshots: setup $(UI) chromium ## Take the pictures in docs/images anew
	$(BIN)/python -m tools.screenshots

lock: setup ## Write the lock files anew from every pyproject.toml
	tools/lock

.PHONY: help setup up test test-slow chromium check fix web-schema screenshots lock
