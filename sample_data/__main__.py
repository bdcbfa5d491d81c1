"""Command line: `python -m sample_data FOLDER [--seed N]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sample_data import generate


def main(arguments: list[str] | None = None) -> int:
    """Write the sample buildings and print their paths; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sample_data", description="Write the fictional sample buildings as IFC."
    )
    parser.add_argument("folder", type=Path, help="folder for the IFC files")
    parser.add_argument("--seed", type=int, default=2026, help="seed of ids and variation")
    options = parser.parse_args(arguments)
    for path in generate(options.folder, options.seed):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
