# Needs python3 (3.10 to 3.13) and make; everything else goes into .venv.
#
#   make install   only the environment, with `etter` in it
#   make demo      eight sample roles from a push to a dashboard, embedded; ends with Ctrl-C
#                  ARGS="--company NAME --role NAME --use-real-assessment" narrows it,
#                  DEMO_ONCE=1 ends it after the table
#   make up        everything on this machine, with your own data folder
#   make test      the tests;  make lint  style, types, direction of imports;  make check  both
#   make test-servers  fetches the real servers that tests start; without one, its tests are skipped
#   make check-deploy   docker-compose.yml, Dockerfile and manifests, by their own tools (needs Go)
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV ?= .venv
PYTHON ?= python3
ARGS ?=
BIN := $(VENV)/bin
export VENV PYTHON

INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.PHONY: help install install-dev demo up test test-servers lint check check-deploy format clean

help:  ## this list
	@sed -n '3,/^[^#]/s/^# \{0,3\}//p' Makefile

install: $(INSTALLED)
	@echo "installed: now make demo, or make up and, beside it, $(BIN)/etter push --help"

install-dev: $(INSTALLED_DEV)

$(INSTALLED): pyproject.toml tools/install.sh
	tools/install.sh
	@touch $@

$(INSTALLED_DEV): pyproject.toml tools/install.sh
	tools/install.sh dev
	@touch $@ $(INSTALLED)

demo: $(INSTALLED)
	@exec $(BIN)/etter demo $(ARGS)

up: $(INSTALLED)
	@exec $(BIN)/etter up $(ARGS)

test: $(INSTALLED_DEV)
	$(BIN)/pytest -n 2 $(ARGS)

test-servers:
	tools/test-servers.sh

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test

check-deploy: $(INSTALLED_DEV)
	tools/check-deploy.sh

clean:
	rm -rf $(VENV) .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache \
		.logs_queue .storage.lock history logs schedules storage
