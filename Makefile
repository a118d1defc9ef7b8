# Two commands: `make certify` probes a device, `make test` passes the project's own tests.
PYTHON ?= python3
DUT    ?= profiles/reference.toml
REPORT ?= out
JOBS   ?=
SEED   ?= 1
COUNT  ?= 300
ARGS   ?=

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.installed

# Bytecode is kept, also where the environment says otherwise, and outside of the tree: every process of a run and
# every device starts in a fraction of the time. A folder that cannot be written to is no error.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/pyc

# pip fills .venv, also where its own configuration says that it installs for the user.
export PIP_USER := 0

# As many test processes as there are processors, unless JOBS says how many.
PROCESSES := $(if $(JOBS),-n $(JOBS))
TESTS     := -n $(or $(JOBS),auto) --dist worksteal

.PHONY: certify test lint power mutants coverage fuzz bench steady chaos wire lock clean

certify: $(READY)
	$(BIN)/python -m conformance certify --dut "$(DUT)" --report "$(REPORT)" $(PROCESSES) \
	    $(if $(DEVIATE),--deviate $(DEVIATE)) $(if $(VARIANT),--variant $(VARIANT)) $(ARGS)

test: lint
	$(BIN)/python -m pytest tests $(TESTS) -q $(ARGS)
	$(MAKE) certify

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Every deviation and variant against every case; `make test` takes a fortieth of them
# (SEED says which) and a part of the cases for each. It goes on where it stopped, as long as the tree is the same.
power: $(READY)
	ALL_CASES=1 $(BIN)/python -m pytest tests/power $(TESTS) -q $(ARGS)

# Small faults in the reference, COUNT of those that SEED draws: which of them no case notices. Goes on where it stopped.
mutants: $(READY)
	$(BIN)/python -m tests.power.mutants --seed $(SEED) --count $(COUNT) $(if $(JOBS),--jobs $(JOBS)) $(ARGS)

coverage: $(READY)
	$(BIN)/python -m conformance.catalogue coverage --json "$(REPORT)/coverage.json"
	$(BIN)/python -m reports coverage "$(REPORT)/coverage.json" -o "$(REPORT)/coverage.html"

fuzz: $(READY)
	$(BIN)/python -m layers.fuzz --count 1000000

bench: $(READY)
	$(BIN)/python -m bench

# Thirty certifications on a machine that is made worse: no verdict may differ. A quarter of an hour.
steady: $(READY)
	$(BIN)/python -m bench steady --write $(ARGS)

# Every role of the reference as a box at the end of a cable, twice, beside the same over namespaces. Ten minutes and more.
wire: $(READY)
	$(BIN)/python -m tests.wire $(ARGS)

# Kills at any moment, a disk that is full or slow, hostile devices: nothing may be left over, no result or exit code be
# wrong. SEED says when and where; COUNT of them, or all, half an hour.
chaos: $(READY)
	$(BIN)/python -m tests.chaos --seed $(SEED) $(if $(filter command environment,$(origin COUNT)),--count $(COUNT)) $(ARGS)

# What this machine lacks for .venv, in one line; a Debian without python3-venv says it in ten.
define NEEDED
need() { "$$@" >/dev/null 2>&1 || { echo "$(VENV) cannot be made: $$why; or name another Python: make PYTHON=..." >&2; exit 1; }; }; \
why="there is no $(PYTHON) here: install Python 3.11 or later"; need command -v $(firstword $(PYTHON)); \
why="$(PYTHON) is too old: install Python 3.11 or later"; need $(PYTHON) -B -c "import sys; sys.exit(sys.version_info < (3, 11))"; \
why="$(PYTHON) has no ensurepip: install the package python3-venv (Debian, Ubuntu: apt-get install python3-venv)"; \
need $(PYTHON) -B -c "import ensurepip, venv"
endef

$(READY): requirements.lock
	@$(NEEDED)
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	    -r requirements.lock
	printf '%s\n' "#!$(abspath $(BIN))/python" "import sys" "sys.path.insert(0, '$(CURDIR)')" \
	    "from conformance.command.main import main" "sys.exit(main())" >$(BIN)/roamproof
	chmod +x $(BIN)/roamproof
	touch $@

# Needs pip-tools; the lock file keeps hashes and names no registry.
lock:
	pip-compile --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options \
	    --no-header --extra dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) out out.* out-rerun* out-wire* .journals .pytest_cache .mypy_cache .ruff_cache .hypothesis
