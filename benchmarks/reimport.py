"""A second version of each file: some elements changed, everything renumbered and shuffled."""

import shutil
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ifc_edit import write_changed
from benchmarks.imports import GEOMETRY, TILING, Import, import_file, medians

CHANGED_SHARE = 0.01


def measure(sources: list[Path], repeat: int, folder: Path) -> list[dict[str, Any]]:
    """One record for each file: the second import against the first of the same city."""
    folder.mkdir(parents=True)
    changed: dict[str, int] = {}
    pairs: dict[str, list[tuple[Import, Import]]] = defaultdict(list)
    for _ in range(repeat):
        for source in sources:
            edited, target = folder / source.name, folder / source.stem
            changed[source.stem] = write_changed(source, edited, CHANGED_SHARE)
            pairs[source.stem].append((import_file(source, target), import_file(edited, target)))
            shutil.rmtree(target)
    return [_record(source.stem, changed[source.stem], pairs[source.stem]) for source in sources]


def _record(name: str, changed: int, pairs: list[tuple[Import, Import]]) -> dict[str, Any]:
    first, second = pairs[-1][0].report, pairs[-1][1].report
    return {
        "file": name,
        "elements": first["features"],
        "changed": changed,
        "tessellated": second["tessellated"],
        "tiles": second["tiles"]["tiles"],
        "reused_tiles": second["tiles"]["reused_tiles"],
        "geometry_and_tiling": round(
            median(b.seconds(*GEOMETRY, *TILING) / a.seconds(*GEOMETRY, *TILING) for a, b in pairs),
            4,
        ),
        "work": round(median(b.work / a.work for a, b in pairs), 4),
        "total": round(median(b.run.cpu / a.run.cpu for a, b in pairs), 4),
        "first_cpu": medians([a.cpu for a, _ in pairs]),
        "second_cpu": medians([b.cpu for _, b in pairs]),
    }
