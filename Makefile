# `make demo` and `make test` do all the set-up by themselves. Every path here is relative: the folder's name may hold spaces.
PY := .venv/bin/python
# Settings for tools that only read them.
TOOLS := VITRINA_ENV=.vitrina/tools.env PROCESS_ROLE=command
ARGS ?=
# A test run starts some hundred processes: without compiled files each would compile the project anew; once is enough.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup env demo run services test unit slow faults lint coverage check lock messages clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      a shop that lives on this machine, to look at (ONCE=1: without a person)"
	@echo "make test      the tests (ARGS='tests/config -k env')"
	@echo "make unit      the quickest of them"
	@echo "make slow      the tests that make test leaves out, but those that kill real processes (minutes)"
	@echo "make faults    all that make test leaves out, and all that kill real processes (more minutes)"
	@echo "make check     all checks and the tests"
	@echo "make env       .env with fresh keys, to fill in for a real shop"
	@echo "make run       a real shop on the settings in .env"
	@echo "make services  the embedded PostgreSQL and Redis alone"
	@echo "make messages  take the words from code and templates into locale/"
	@echo "make lock      resolve the packages of pyproject.toml again"
	@echo "make clean     remove .vitrina/: embedded servers with their data, the demo, the tests' state"

setup:
	@PYTHON="$(PYTHON)" .ci/setup

env: setup
	@test ! -e .env || { echo ".env is there already."; exit 1; }
	@$(PY) -m config.new_env .env
	@echo "Fill in .env, then: make run"

demo: setup
	@exec $(PY) manage.py demo $(if $(ONCE),--once) $(ARGS)

run: setup
	@exec $(PY) manage.py run

services: setup
	@exec $(PY) manage.py services

test: setup
	@$(PY) -m compileall -q -j 0 apps bots config tasks
	$(PY) -m pytest -n 4 --dist loadscope -m "not slow" $(ARGS)

unit: setup
	$(PY) -m pytest -n 3 --dist loadscope -m "not (slow or flow or walk or process or browser or store or fault)" $(ARGS)

slow: setup
	@$(PY) -m compileall -q -j 0 apps bots config tasks
	$(PY) -m pytest -n 4 --dist loadscope -m "slow and not fault" $(ARGS)

faults: setup
	$(PY) -m pytest -n 3 --dist loadscope -m "fault or slow" $(ARGS)

.vitrina/tools.env: .env.example | setup
	@rm -f $@
	@$(PY) -m config.new_env $@ DASHBOARD_URL=https://vitrina.example.com

lint: setup .vitrina/tools.env
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(TOOLS) $(PY) -m mypy
	.venv/bin/lint-imports
	$(TOOLS) $(PY) manage.py check --deploy --fail-level WARNING

# Each app by its own tests, so that a well-tested one does not hide another; how much is enough is said in
# pyproject.toml.
MEASURED := decisions pricing experiments marketplaces
coverage: setup
	$(PY) -m pytest -n 4 --dist loadscope -q -m "not slow" --cov --cov-report= --cov-fail-under=0 $(MEASURED:%=tests/%)
	@set -e; for app in $(MEASURED); do echo "apps/$$app"; $(PY) -m coverage report --include="apps/$$app/*"; done

check: lint test coverage

lock: setup
	$(LOCK) --extra dev -o requirements-dev.txt
	$(LOCK) -c requirements-dev.txt -o requirements.txt

LOCK := $(PY) -m uv pip compile pyproject.toml --universal --generate-hashes --no-strip-extras --no-emit-index-url --no-header -q --python-version 3.11

messages: setup
	$(PY) -m config.messages

clean:
	@if test -x $(PY); then $(PY) -m config.clean; else rm -rf .vitrina; fi
