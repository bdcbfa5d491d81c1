"""Benchmarks: what an import costs and what comes out, beside other programs; see README.md."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent
