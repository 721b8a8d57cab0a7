# Two commands do all set-up: `make demo` and `make test`. Each makes .venv first, with what it needs.
.PHONY: help demo test slow check bench soak million docs clean
.DEFAULT_GOAL := help
BIN := .venv/bin

help:
	@echo "make demo    an ablation on real data, then one of its runs reproduced (under 2 minutes)"
	@echo "make test    all tests, the browser's among them"
	@echo "make slow    the tests that need more time or larger downloads"
	@echo "make check   lint, types, floors, doctests, generated references"
	@echo "make bench   every benchmark, beside its peer"
	@echo "make soak    SIGKILL at 200 random instants of run, data add, push and gc"
	@echo "make million what the everyday commands take in a store of a million runs (13 GiB of disk)"
	@echo "make docs    write the generated references again"

demo:
	@tools/setup demo
	@$(BIN)/python examples/digits/demo.py

test:
	@tools/setup dev
	@tools/browser >/dev/null
	@tools/slurm >/dev/null || true
	$(BIN)/pytest -n 2 -m "not slow"

slow:
	@tools/setup dev
	$(BIN)/pytest -m slow

check:
	@tools/setup dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONHASHSEED=0 $(BIN)/pytest -q -p no:cacheprovider --doctest-modules src/assay \
		--ignore=src/assay/capture/injected --ignore=src/assay/adapters --ignore=src/assay/comparison/parquet.py
	$(BIN)/python tools/commands.py --check

bench:
	@tools/setup bench
	@for file in benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; echo; done

soak:
	@tools/setup dev
	@$(BIN)/python benchmarks/soak.py

million:
	@tools/setup dev
	@$(BIN)/python benchmarks/million_runs.py

docs:
	@tools/setup dev
	$(BIN)/python tools/commands.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo-report
