"""The things of a sample come into a city, and what they observed, as if it had ended today."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cim_core.city import City
from cim_core.observations import joined
from cim_core.progress import Progress
from cim_core.receipt import hash_file, write_receipt
from server.cli_audited import audited
from server.things_import import import_things, read_things

DAY = 86_400_000
"""Milliseconds."""

KIND = "observations"
"""The kind of a receipt for what was filled in."""


def feel(
    city: City, folder: Path, document: dict[str, Any], progress: Progress, say: Callable[[str], None]
) -> None:  # fmt: skip
    """Bring in what a manifest names as things and observations; what is there already stays.

    Observations are shifted by whole days, so that the recording's last day is today; what would lie
    ahead is left out.
    """
    if not document.get("things"):
        return
    with audited(city, "manage", "cim demo") as said:
        brought = import_things(city.live, read_things(folder / document["things"]), progress)
        said |= {"new": brought.new, "changed": brought.changed}
    say(f"things: {brought.new} new, {brought.changed} changed, {brought.unchanged} as they were")
    if document.get("observations"):
        _fill(city, folder / document["observations"], document["observations_end"], progress, say)


def _fill(city: City, path: Path, end: int, progress: Progress, say: Callable[[str], None]) -> None:
    from cim_core.store.history_import import ObservationFile  # DuckDB takes a moment to load

    source = hash_file(path, path.name)
    if source.sha256 in city.receipts.inputs(KIND):
        say("observations: unchanged")
        return
    now = time.time_ns() // 1_000_000
    shift = -((end - now) // DAY) * DAY
    file = ObservationFile(path, city.live.streams(), None)
    parts = []
    for part in file.parts(now):
        moved = replace(part.observations, times=part.observations.times + shift)
        parts.append(moved.take(moved.times <= now))
        progress(part.read, file.rows, "reading")
    with audited(city, "record", "cim demo") as said:
        said["rows"] = new = city.history.add(joined(parts), progress)
        city.history.maintain()
        receipt = write_receipt(
            KIND, (source,), {"shift_days": shift // DAY}, {"rows": new}, who=city.who
        )
        city.receipts.add(receipt)
    say(f"observations: {new:,}")
