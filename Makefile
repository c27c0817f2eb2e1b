# Everything below sets itself up: a virtual environment in .venv with the locked versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false

.PHONY: quickstart test faults soak check lint format types clean

quickstart: $(INSTALLED)  ## make a release of 600 support messages in out/
	$(BIN)/corpusmith generate recipes/quickstart.yaml --out out

test: $(INSTALLED)  ## run every test
	$(BIN)/python -m pytest

faults: $(INSTALLED)  ## the fault suite at 50 random moments instead of 4: an hour
	$(BIN)/python benchmarks/faults.py --moments 50

soak: $(INSTALLED)  ## memory, files and threads of a run of 200,000 rows beside one of 20,000
	$(BIN)/python benchmarks/soak.py --rows 20000 --rows 200000

check: lint types test  ## what has to be green before a commit

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "corpusmith needs Python 3.11 or newer; name one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
