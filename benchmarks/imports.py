"""Imports into a city, each in a process of its own, with their stages."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import LAYER, product_import
from benchmarks.run import Run, run

STARTING = ("start", "start of workers")
TILING = ("leaves", "far tiles")
GEOMETRY = ("contents", "opening", "kernel", "hand-over", "placing")


@dataclass(frozen=True, slots=True)
class Import:
    """What one import cost, by stage, and what the product says of it.

    cpu, wall
        Seconds by stage; `end` is what the interpreter takes to end. The wall time of the workers
        is in the stage `hand-over`, which waits for them, that of the end in `start`.
    """

    run: Run
    cpu: dict[str, float]
    wall: dict[str, float]
    report: dict[str, Any]

    def seconds(self, *stages: str) -> float:
        """CPU seconds of some stages."""
        return sum(self.cpu.get(stage, 0.0) for stage in stages)

    @property
    def work(self) -> float:
        """CPU seconds without starting interpreters and without reading properties."""
        return self.run.cpu - self.seconds(*STARTING, "properties")


def import_file(source: Path, folder: Path) -> Import:
    """Import a file into the city `folder`/city; raises `RuntimeError` when that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    return imported(run(product_import(source, folder), folder), source, folder)


def imported(done: Run, source: Path, folder: Path) -> Import:
    """What a run of `product_import` left; raises `RuntimeError` when it failed."""
    if done.code != 0:
        raise RuntimeError(f"the import of {source.name} failed: {done.log}")
    stages = json.loads((folder / "stages.json").read_text())
    (folder / "stages.workers").unlink(missing_ok=True)
    cpu = {**stages["cpu"], "end": done.cpu - sum(stages["cpu"].values())}
    wall = {**stages["wall"], "start": 0.0}
    wall["start"] = done.wall - sum(wall.values())
    return Import(done, cpu, wall, json.loads((folder / "stdout").read_text()))


def medians(rows: list[dict[str, float]]) -> dict[str, float]:
    """The median of each entry of several rows."""
    return {name: round(median(row.get(name, 0.0) for row in rows), 4) for name in rows[0]}


def tileset(folder: Path, version: int = 1) -> Path:
    """The tileset of a version in the city `folder`/city."""
    return folder / "city" / "layers" / LAYER / str(version) / "tileset.json"
