"""What moved on the roads of a sample comes into a city, as if it had been today or yesterday."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cim_core.city import City
from cim_core.files import write_whole
from cim_core.progress import Progress
from cim_core.receipt import hash_file, write_receipt
from cim_core.traffic.moving import Moving, between
from server.cli_audited import audited

KIND = "traffic"
"""The kind of a receipt for what was filled in."""

_DAY = 86_400_000
_REGISTER = "key_vehicles.toml"
_TOGETHER = 120_000
"""So many milliseconds of it are one batch."""


def drive(
    city: City, folder: Path, document: dict[str, Any], progress: Progress, say: Callable[[str], None]
) -> None:  # fmt: skip
    """Bring in what a manifest names as traffic; what is there already stays.

    It is shifted by whole days, so that it ended less than a day ago: its signals keep to their plans,
    and the server may play the same recording as what happens now.
    """
    from cim_core.traffic.recording import read_recording  # pyarrow takes a moment to load

    register = city.folder / _REGISTER
    if not register.exists():
        write_whole(register, (folder / document["key_vehicles"]).read_bytes())
    path = folder / document["recording"]
    source = hash_file(path, path.name)
    if source.sha256 in city.receipts.inputs(KIND):
        say("traffic: unchanged")
        return
    positions, signals = read_recording(path)
    end = int(max(positions.times.max(), signals.times.max()))
    now = time.time_ns() // 1_000_000
    shift = (now - end) // _DAY * _DAY
    layer = str(document["layer"])
    with audited(city, "record", "cim demo", (layer,)) as said:
        said["positions"] = _fill(
            city, layer, replace(positions, times=positions.times + shift), progress
        )
        said["signals"] = _fill(
            city, layer, replace(signals, times=signals.times + shift), progress
        )
        city.traffic.history.move(progress, time.time_ns() // 1_000_000 + 1)
        rows = {"positions": len(positions), "signals": len(signals)}
        receipt = write_receipt(KIND, (source,), {"shift_days": shift // _DAY}, rows, who=city.who)
        city.receipts.add(receipt)
    say(f"traffic: {len(positions):,} positions, {len(signals):,} states of signals")


def _fill(city: City, layer: str, what: Moving, progress: Progress) -> int:
    """Append rows, some minutes at a time."""
    first, last = int(what.times.min()), int(what.times.max())
    for start in range(first, last + 1, _TOGETHER):
        part = between(what, start, start + _TOGETHER)
        if len(part):
            city.traffic.append(layer, part)
        progress(start - first, last - first, "traffic")
    return len(what)
