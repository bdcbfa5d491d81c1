"""Each file by each contender, turn and turn about, and what came out."""

import shutil
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import outputs
from benchmarks.contenders import LAYER, Contender, contenders
from benchmarks.deviation import deviations
from benchmarks.imports import TILING, Import, imported, medians, tileset
from benchmarks.run import Run, run

_HIDDEN = {"IfcOpeningElement", "IfcSpace"}
"""The peers leave these out."""


def measure(sources: list[Path], repeat: int, folder: Path) -> list[dict[str, Any]]:
    """One record for each file; the outputs of the last repetition are looked at."""
    who = contenders()
    runs: dict[tuple[str, str], list[Run]] = defaultdict(list)
    ours: dict[str, list[Import]] = defaultdict(list)
    starts: dict[str, list[float]] = defaultdict(list)
    for turn in range(repeat):
        for contender in who:
            target = folder / "start"
            target.mkdir(parents=True, exist_ok=True)
            starts[contender.name].append(run(contender.start, target).cpu)
        for source in sources:
            for number in range(len(who)):
                contender = who[(number + turn) % len(who)]
                target = _folder(folder, source, contender)
                shutil.rmtree(target, ignore_errors=True)
                target.mkdir(parents=True)
                done = run(contender.command(source, target), target)
                runs[source.stem, contender.name].append(done)
                if contender is who[0]:
                    ours[source.stem].append(imported(done, source, target))
                print(f"{source.stem}: {contender.name} {done.cpu:.2f} CPU s", file=sys.stderr)  # noqa: T201
    records = []
    for source in sources:
        found, alone = outputs.elements(source)
        record: dict[str, Any] = {
            "file": source.stem,
            "bytes": source.stat().st_size,
            "elements": len(found),
            "shown_elements": len(_shown(found)),
            "kernel_alone": round(alone, 3),
            "contenders": {
                contender.name: {
                    "start": round(median(starts[contender.name]), 3),
                    **_outcome(
                        runs[source.stem, contender.name], _folder(folder, source, contender), found
                    ),
                }
                for contender in who
            },
        }
        record["product"] = _product(ours[source.stem], _folder(folder, source, who[0]), found)
        records.append(record)
    return records


def _folder(folder: Path, source: Path, contender: Contender) -> Path:
    return folder / source.stem / contender.name.replace(" ", "-")


def _shown(found: dict[str, str]) -> set[str]:
    return {item for item, name in found.items() if name not in _HIDDEN}


def _outcome(runs: list[Run], folder: Path, found: dict[str, str]) -> dict[str, Any]:
    """What a contender cost and made; only the reason where it failed."""
    if failed := [done.log for done in runs if done.code != 0]:
        return {"failed": failed[0].splitlines()[-1] if failed[0] else "no reason given"}
    # A city holds more than tiles: only what a viewer loads is counted.
    city = folder / "city" / "layers"
    files = outputs.contents(city if city.exists() else folder)
    files = [path for path in files if path.name not in ("ledger.json", "checkin.json")]
    plain, gzipped = outputs.sizes(files)
    return {
        "cpu": [round(done.cpu, 3) for done in runs],
        "wall": [round(done.wall, 3) for done in runs],
        "memory": [done.memory for done in runs],
        "files": len(files),
        "bytes": plain,
        "gzipped": gzipped,
        "kept": len(outputs.named(files, _shown(found))),
    }


def _product(ours: list[Import], folder: Path, found: dict[str, str]) -> dict[str, Any]:
    """What only our own tiles are asked for."""
    path = tileset(folder)
    leaves = outputs.leaves(path)
    plain, gzipped = outputs.sizes(leaves)
    off = deviations(folder / "city", LAYER, path)
    return {
        "cpu": medians([item.cpu for item in ours]),
        "wall": medians([item.wall for item in ours]),
        "work": round(median(item.work for item in ours), 3),
        "share_leaves": _share(ours, "leaves"),
        "share_all": _share(ours, *TILING),
        "leaf_bytes": plain,
        "leaf_gzipped": gzipped,
        "levels": outputs.levels(path),
        "kept": len(found.keys() & off.keys()),
        "more": len(off.keys() - found.keys()),
        "dropped": len(ours[-1].report["dropped"]),
        "deviation": max(off.values()),
        "stated_deviation": ours[-1].report["tiles"]["deviation"],
    }


def _share(ours: list[Import], *stages: str) -> float:
    """The median of what stages take of the kernel's CPU."""
    return round(median(item.seconds(*stages) / item.seconds("kernel") for item in ours), 4)
