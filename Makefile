# make install | demo | test | lint
PYTHON ?= python3
VENV ?= .venv
# Test processes at a time; each loads torch.
JOBS ?= 2

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
PROJECTS := $(wildcard plugins/*/pyproject.toml)
PLUGINS := $(PROJECTS:/pyproject.toml=)
PACKAGES := b2b_core $(subst -,_,$(notdir $(PLUGINS)))
EDITABLE := -e . $(addprefix -e ./,$(PLUGINS))

.PHONY: install demo test lint
.DEFAULT_GOAL := install

install: $(VENV)/.installed

# Without build isolation pip builds all of them in this environment, with one copy of hatchling.
$(VENV)/.installed: pyproject.toml constraints.txt $(PROJECTS)
	$(PYTHON) -m venv $(VENV)
	$(PIP) hatchling editables
	$(PIP) --no-build-isolation $(EDITABLE)
	touch $@

$(VENV)/.developed: $(VENV)/.installed
	$(PIP) --no-build-isolation -e '.[dev]'
	touch $@

demo: install
	$(BIN)/b2b demo

test: $(VENV)/.developed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS)

lint: $(VENV)/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy $(addprefix -p ,$(PACKAGES))
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
