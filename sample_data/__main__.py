"""Command line: `python -m sample_data FOLDER [--seed N]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sample_data import district, generate


def main(arguments: list[str] | None = None) -> int:
    """Write the sample buildings and the district around them; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sample_data",
        description="Write the fictional sample district and its two buildings.",
    )
    parser.add_argument("folder", type=Path, help="folder for the files")
    parser.add_argument("--seed", type=int, default=2026, help="seed of ids and variation")
    parser.add_argument(
        "--without-observations", action="store_true", help="leave out what sensors observed"
    )
    parser.add_argument(
        "--without-renewal", action="store_true", help="leave out the renewal campaign"
    )
    parser.add_argument(
        "--without-traffic", action="store_true", help="leave out what moves on the roads"
    )
    parser.add_argument(
        "--without-checkup", action="store_true", help="leave out the two years of a check-up"
    )
    options = parser.parse_args(arguments)

    def tell(done: int, total: int, stage: str) -> None:
        if stage:
            sys.stderr.write(f"writing {done + 1}/{total}: {stage}\n")

    generate(options.folder, options.seed, tell)
    manifest = district.generate(
        options.folder, options.seed, tell, observed=not options.without_observations,
        renewed=not options.without_renewal, driven=not options.without_traffic,
        examined=not options.without_checkup,
    )  # fmt: skip
    sys.stdout.write(f"{manifest}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
