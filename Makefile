# The only definition of each developer command. See README.md.
PYTHON ?= python3
UV_ARGS ?=
BIN := .venv/bin
# uv installs in a third of pip's time. It reads none of pip's settings, so a folder of wheels is handed on.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
# Test processes share the machine: one thread each is about ten times faster than two each on two cores.
export OMP_NUM_THREADS ?= 1

# What needs no process, no torch and no GPU; tests/quick.py holds them to that.
QUICK := $(addprefix tests/, checkpoint config docs gpus grid keeper methods report result_lines scheduler scripts search \
	test_cores.py doctor/test_storage.py $(addprefix codeeval/test_, reader.py relaxed.py source.py static.py))

# Tests with real daemons, which run after the others and a file a process: they wait in real time.
CLUSTERS := tests/slurm tests/ray_cluster

.PHONY: setup demo demo-dit quick test slow check format clean

setup: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock uv
	$(BIN)/uv pip install --python $(BIN)/python --quiet --compile-bytecode $(UV_ARGS) -r requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --editable .
	touch $@

demo: setup
	$(BIN)/accsearch run configs/demo.yaml
	$(BIN)/accsearch best
	$(BIN)/accsearch report -o report.html

demo-dit: setup
	$(BIN)/accsearch run configs/demo-dit.yaml
	$(BIN)/accsearch best
	$(BIN)/accsearch report -o report.html

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_words.py

quick: setup
	$(BIN)/python -m pytest -q -p tests.quick -m "not slow and not process" -n 2 $(QUICK)

test: check
	$(BIN)/pytest -m "not slow" -n 2 --dist worksteal --junitxml=build/tests.xml $(CLUSTERS:%=--ignore=%)
	$(BIN)/pytest -m "not slow" -n 2 --dist loadfile --junitxml=build/clusters.xml $(CLUSTERS)
	$(BIN)/python scripts/check_skips.py tests/skips.txt build/tests.xml build/clusters.xml

slow: setup
	$(BIN)/pytest -m slow

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build report.html
