"""The renewal campaign of a sample comes into a city, as if it had come as far as this week."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from cim_core.city import City
from cim_core.progress import Progress
from server.cli_audited import audited
from server.renewal.history_file import load_history_file

_WEEK = 7


def renew(
    city: City, folder: Path, document: dict[str, Any], progress: Progress, say: Callable[[str], None]
) -> None:  # fmt: skip
    """Bring in what a manifest names as renewal, unless there is renewal already.

    It is moved by whole weeks, so that its last day is one of the seven before today.
    """
    if city.renewal.exists:
        say("renewal: unchanged")
        return
    from server.renewal.asked import today

    told = date.fromisoformat(document["renewal_day"])
    days = ((today(city) - told).days - 1) // _WEEK * _WEEK
    with audited(city, "manage", "cim demo") as said:
        path = folder / document["renewal"]
        said["changes"] = new = load_history_file(city.renewal, path, progress, days)
    say(f"renewal: {new:,} changes")
