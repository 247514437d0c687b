# Short names for dev.py and for the checks. `make demo` and `make test` need Python, make and git, nothing else.
PYTHON ?= python3
ARGS ?=
.PHONY: help setup demo test lint types messages stop lock

help:
	@echo "make demo      the whole product at http://127.0.0.1:8000 (PORT=8123 make demo: another port)"
	@echo "make test      the test suite; ARGS='tests/crm -k lead' chooses"
	@echo "make setup     environment and front-end files alone"
	@echo "make lint      ruff, djlint, import contracts;  make types: mypy;  make messages: collect texts to translate"
	@echo "make stop      stop the demo and the embedded servers;  make lock: newer versions into the lock files"

setup:
	@$(PYTHON) dev.py setup

demo:
	@exec $(PYTHON) dev.py demo

test:
	@exec $(PYTHON) dev.py test $(ARGS)

lint:
	@$(PYTHON) dev.py setup --dev
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m djlint templates --lint --quiet
	.venv/bin/lint-imports

types:
	@$(PYTHON) dev.py setup --dev
	.venv/bin/python -m mypy

messages:
	.venv/bin/python manage.py makemessages --locale ru --no-obsolete --no-location \
	  --ignore node_modules --ignore .venv --ignore var --ignore tests --ignore bench

stop:
	@$(PYTHON) dev.py stop

lock:
	@$(PYTHON) dev.py lock
