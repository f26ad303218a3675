# make demo · make test · make lint · make docs · make bench
# Each makes what it needs of the environment (.venv) where it is missing; nothing needs root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := pyproject.toml CMakeLists.txt $(shell find core bindings src -name '*.?pp' -o -name '*.inl' -o -name '*.py' -o -name '*.pyi')
NINJA = -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja
MODULE = -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python -Dnanobind_DIR=$$($(BIN)/python -m nanobind --cmake_dir)
CXX_FILES = $(shell find core bindings tests/core -name '*.?pp' -o -name '*.inl')

.PHONY: demo test lint docs bench core-test sanitize sanitize-core inplace clean

demo: $(VENV)/.installed
	$(BIN)/centroids demo

# Files of tests go to as many processes; few, as the tests start processes and threads themselves.
WORKERS ?= 2
test: $(VENV)/.dev core-test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(CXX_FILES)
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports

docs: $(VENV)/.docs
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(VENV)/.installed
	$(PYTHON) benchmarks/setup_env.py
	benchmarks/.venv/bin/python -m benchmarks.run
	benchmarks/.venv/bin/python -m benchmarks.render

# ---- environment: build tools, then the package with all extras, then what tests and pages need.
# The wheel is built where the unit tests of the core are, so that the core is compiled once.
RELEASE := build/release
$(VENV)/.tools: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "centroids needs Python 3.11 or newer: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade pip
	$(PIP) install 'scikit-build-core>=0.11' 'nanobind>=2.4' cmake ninja
	touch $@

$(VENV)/.installed: $(VENV)/.tools $(SOURCES)
	$(PIP) install --no-build-isolation -C build-dir=$(RELEASE) \
	  -C cmake.define.CENTROIDS_PYTHON=ON -C cmake.define.CENTROIDS_CORE_TESTS=OFF '.[all]'
	touch $@

# The package is there: this installs what an extra of it asks for besides.
$(VENV)/.dev $(VENV)/.docs: $(VENV)/.%: pyproject.toml | $(VENV)/.installed
	$(PIP) install 'centroids[$*]'
	touch $@

# ---- unit tests of the core, without Python; the second time under the address and
# undefined-behaviour sanitizers, with the module, which then gets a bounded fuzz
core-test: BUILD := $(RELEASE)
core-test: OPTIONS := -DCENTROIDS_PYTHON=OFF
core-test sanitize-core: $(VENV)/.tools
	mkdir -p build
	$(BIN)/cmake -S . -B $(BUILD) -G Ninja $(NINJA) -DCENTROIDS_CORE_TESTS=ON $(OPTIONS) > $(BUILD).log 2>&1 || (cat $(BUILD).log; false)
	$(BIN)/cmake --build $(BUILD)
	$(BIN)/ctest --test-dir $(BUILD) --parallel 2 --output-on-failure --no-tests=error

SANITIZED := build/sanitize
sanitize-core: BUILD := $(SANITIZED)
sanitize-core: OPTIONS = $(MODULE) -DCENTROIDS_SANITIZE=ON

# The sanitizers must be loaded before Python is; malloc, so that they see each object; no search
# for leaks, as Python never frees all at its end.
SANITIZERS := $$($(CXX) -print-file-name=libasan.so):$$($(CXX) -print-file-name=libubsan.so)
sanitize: sanitize-core $(VENV)/.dev
	rm -rf $(SANITIZED)/package
	mkdir $(SANITIZED)/package
	cp -r src/centroids $(SANITIZED)/package/
	rm -f $(SANITIZED)/package/centroids/_core*.so
	cp $(SANITIZED)/_core*.so $(SANITIZED)/package/centroids/
	LD_PRELOAD=$(SANITIZERS) ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 PYTHONMALLOC=malloc PYTHONPATH=$(SANITIZED)/package \
	  $(BIN)/python -m pytest -q -s -p no:cacheprovider tests/test_bindings.py

# For work on the library: the compiled module beside the sources; then PYTHONPATH=src.
# The old module is removed first: a process that runs it must not see its file change.
inplace: $(VENV)/.tools
	$(BIN)/cmake -S . -B build/inplace -G Ninja $(NINJA) $(MODULE)
	$(BIN)/cmake --build build/inplace
	rm -f src/centroids/_core*.so
	cp build/inplace/_core*.so src/centroids/

clean:
	rm -rf build src/centroids/*.so docs/_build docs/tutorials docs/reference/generated
