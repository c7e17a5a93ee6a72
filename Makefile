# Everything here makes its own virtual environment first; Python 3.11 or newer is all it needs.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(if $(shell command -v $(p) 2>/dev/null),$(p))))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run test simulate sandbox fuzz check docs format bench lock clean

help: ## Show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

run: $(READY) ## Start the demo: the service, a receiver, sample events; Ctrl-C ends it
	@$(BIN)/hookrt demo hooks.yaml

# What uses the default port, where other tests must find nobody.
ALONE := tests/docs/test_readme.py tests/acceptance/cli/test_demo.py

# One more than there are cores: many tests wait, for a time to come or for a process to end.
PROCESSES := $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)

# Files in their order, the slow ones (acceptance) first, so that no core is left with one of them at the end.
test: $(READY) ## Run every test, on all cores
	@$(BIN)/python -m pytest --numprocesses=$(PROCESSES) --dist=loadfile --no-loadscope-reorder $(addprefix --ignore=,$(ALONE))
	@$(BIN)/python -m pytest $(ALONE)

SEEDS ?= 1000

simulate: $(READY) ## Run the engine in made-up worlds full of faults: SEEDS=10000, or SEED=123 to replay one
	@$(BIN)/python -m simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

sandbox: $(READY) ## Escapes and ordinary snippets against real sandboxed workers: CORPUS=FILE, or the project's own
	@$(BIN)/python -m sandbox_corpus $(if $(CORPUS),"$(CORPUS)")

MINUTES ?= 10

fuzz: $(READY) ## Fuzz the sandbox: frames for both ends, programs against the policy: MINUTES=10
	@$(BIN)/python -m sandbox_corpus.fuzz --minutes $(MINUTES)

check: $(READY) ## Style, types and import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy tests/typing/public_api.py
	@$(BIN)/basedpyright --pythonpath $(BIN)/python -p tests/typing
	@$(BIN)/python tests/typing/complete.py
	@$(BIN)/lint-imports --no-cache

docs: $(READY) ## Build the documentation into build/docs, warnings being errors
	@$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going -b html docs build/docs
	@echo "The documentation is in build/docs/index.html"

format: $(READY) ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## Measure against the budgets, side by side
	@$(BIN)/python -m benchmarks

lock: $(READY) ## Write the versions that are installed to requirements.lock
	@$(BIN)/python -m pip list --format=freeze --exclude hookrt --exclude pip --exclude setuptools --exclude wheel > requirements.lock

clean: ## Remove the virtual environment and what tools left
	rm -rf $(VENV) .hookrt build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(READY): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "hookrt needs Python 3.11 or newer, and none was found."; \
	  echo "Install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python) or say PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "hookrt needs Python 3.11 or newer; $(PYTHON) is"; \
	  $(PYTHON) --version; echo "Say PYTHON=/path/to/a/newer/python3."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module. Debian, Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Making the virtual environment in $(VENV) (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)
