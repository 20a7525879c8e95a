# What a developer types; `just` alone lists it.

default:
    @just --list

# format, lint, types, docs, tests
check:
    ruff format --check .
    ruff check .
    mypy
    python -m docs.generate --check
    pytest -n 2

# write the reference pages anew
docs:
    python -m docs.generate

# the full random trials
soak:
    python -m tests.soak

# the figures of speed and memory
bench:
    python -m tests.benchmarks
