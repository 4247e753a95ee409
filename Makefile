# Two commands do it all: `make demo` and `make test`. Both make .venv first, once.
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Threads that wait leave the cores to those that work: training and serving run in several processes.
export OMP_WAIT_POLICY := passive

.PHONY: help install demo test quick check format clean

help: ## what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

install: .venv/.installed ## .venv with everything that runs, trains and tests on a CPU (about 3 GB)

# Installed again only when what is asked for has changed.
.venv/.installed: pyproject.toml constraints.txt .ci/install
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tunebench needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python .ci/install
	touch $@

# The charts nano is trained on, from the test split. An untrained model never stops, so 16 new tokens are the most.
DEMO := --max-tokens 16 --log-dir logs/demo -T charts=bar families=number_of_letters width=320 height=320 questions_per_chart=1 size=300

demo: install ## train the built-in model on charts; before and after, scored through vLLM, side by side
	$(BIN)/python -m bench run chart_vqa --model nano-untrained,nano $(DEMO)
	$(BIN)/python -m bench compare logs/demo@nano-untrained logs/demo@nano
	$(BIN)/python -m bench leaderboard logs/demo --html logs/demo/leaderboard.html
	$(BIN)/python -m bench mistakes logs/demo --out logs/demo/mistakes.html
	@echo 'Look at logs/demo/mistakes.html and leaderboard.html in a browser, or run: $(BIN)/bench view --log-dir logs/demo'

test: install ## the tests, offline, through the real vLLM on this machine's CPU
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup $(ARGS)

quick: install ## the inner loop: tests without engine, process, model or whole evaluation
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m 'not engine and not process and not slow' $(ARGS)

check: install ## ruff, format and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove .venv and caches; logs and checkpoints stay
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache
