"""The import of one large file, made by multiplying a smaller one: what it takes at the peak."""

from pathlib import Path
from typing import Any

from benchmarks import FOLDER
from benchmarks.ifc_edit import write_multiplied
from benchmarks.imports import import_file

DATA = FOLDER / ".data"


def measure(sources: list[Path], megabytes: int, folder: Path) -> dict[str, Any]:
    """The record of one import; the file is kept in `.data` for the next time."""
    base = max(sources, key=lambda source: source.stat().st_size)
    large = DATA / f"{base.stem}-{megabytes}-mb.ifc"
    if not large.exists():
        DATA.mkdir(exist_ok=True)
        partial = large.with_suffix(".part")
        write_multiplied(base, partial, megabytes * 1_000_000)
        partial.rename(large)
    done = import_file(large, folder)
    size = large.stat().st_size
    return {
        "file": large.stem,
        "bytes": size,
        "features": done.report["features"],
        "dropped": len(done.report["dropped"]),
        "memory": done.run.memory,
        "times_the_file": round(done.run.memory / size, 2),
        "wall": round(done.run.wall, 1),
        "cpu": {stage: round(seconds, 2) for stage, seconds in done.cpu.items()},
    }
