"""Layers made by a program, which show what a tileset costs without a file and without a kernel.

`python -m benchmarks.synthetic railway 10000 FOLDER` is one measured process: it tiles the layer
into FOLDER and writes FOLDER/stages.json.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import tiles
from benchmarks import outputs
from benchmarks.imports import TILING
from benchmarks.run import run
from benchmarks.stages import FAR_TILES, Stages
from cim_core.layer import Layer
from cim_core.progress import Progress
from tests.support.models import buildings, railway, town
from tests.support.pipes import network_layer_of, streets

LAYERS: dict[str, Callable[[int], Layer]] = {
    "railway": railway,
    "town": town,
    "buildings": buildings,
    "pipes": lambda segments: network_layer_of(streets(segments)),
}


def measure(name: str, elements: int, repeat: int, folder: Path) -> dict[str, Any]:
    """The record of one layer."""
    seconds: list[dict[str, float]] = []
    peaks: list[int] = []
    for _ in range(repeat):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        module = [sys.executable, "-m", "benchmarks.synthetic"]
        done = run([*module, name, str(elements), folder], folder)
        if done.code != 0:
            raise RuntimeError(f"tiling the {name} failed: {done.log}")
        seconds.append(json.loads((folder / "stages.json").read_text())["cpu"])
        peaks.append(done.memory)
    tileset = folder / "1" / "tileset.json"
    plain, gzipped = outputs.sizes(outputs.contents(folder / "content"))
    root = outputs.root_content(tileset).read_bytes()
    return {
        "layer": name,
        "elements": elements,
        "cpu": {
            stage: round(median(row.get(stage, 0.0) for row in seconds), 3)
            for stage in (*TILING, "checking")
        },
        "tiling": round(median(sum(row[s] for s in TILING if s in row) for row in seconds), 3),
        "memory": max(peaks),
        "bytes": plain + tileset.stat().st_size,
        "gzipped": gzipped + len(gzip.compress(tileset.read_bytes(), 9)),
        "leaf_gzipped": outputs.sizes(outputs.leaves(tileset))[1],
        "root_bytes": len(root),
        "root_gzipped": len(gzip.compress(root, 9)),
        "levels": outputs.levels(tileset),
    }


def main() -> None:
    """Make a layer and tile it."""
    stages, (name, elements, folder) = Stages(), sys.argv[1:]
    for place in FAR_TILES:
        stages.wrap(*place)
    layer = LAYERS[name](int(elements))
    stages.begin()
    target = Path(folder)
    (target / "content").mkdir()
    (target / "1").mkdir()
    with stages.stage("leaves"):
        tiles.build_tileset(layer, target / "content", target / "1" / "tileset.json", Progress())
    with stages.stage("checking"):
        ids = [feature.id for feature in layer.features]
        tiles.check_tiles(layer, target / "1" / "tileset.json", ids, Progress())
    stages.save(target / "stages.json", target / "none")


if __name__ == "__main__":
    main()
