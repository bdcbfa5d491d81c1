"""`python -m benchmarks.product STAGES import FILE …`: the command `cim`, its stages measured."""

import sys
from pathlib import Path

from benchmarks.stages import Stages
from server import cli


def main() -> None:
    """Run the command; the stages go to the file named first."""
    stages, record = Stages(), Path(sys.argv.pop(1))
    workers = record.with_suffix(".workers")
    stages.install(workers)
    stages.begin()
    try:
        cli.main()
    finally:
        stages.save(record, workers)


if __name__ == "__main__":
    main()
