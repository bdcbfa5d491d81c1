"""A history of renewal as an ordinary file: one dated change a line, as other programs can write it.

A line is `{"recorded": "2025-03-03T10:12:00+08:00", "effective": "2025-03-02", "kind": "building",
"id": "b1", "change": {"state": "signed"}, "name": "who"}`: the change is the whole document of a new
thing, else a JSON Merge Patch, or null where it is removed.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from cim_core.renewal.documents import Kind
from cim_core.renewal.events import Told
from cim_core.store.renewal import Renewal

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_STEP = 5_000


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    recorded: Annotated[datetime, msgspec.Meta(tz=True)]
    effective: date
    kind: Kind
    id: str
    change: dict[str, Any] | None
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""


def read_history(path: Path, progress: Progress, days: int = 0) -> list[Told]:
    """The changes of a file, all their dates so many days later; raises `InvalidInput`."""
    decoder = msgspec.json.Decoder(_Line)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}); give a file") from error
    later = timedelta(days=days)
    found = []
    for number, text in enumerate(lines, 1):
        if number % _STEP == 1:
            progress(number - 1, len(lines), "reading")
        if not text.strip():
            continue
        try:
            line = decoder.decode(text)
            found.append(
                Told(
                    number, round((line.recorded + later).timestamp() * 1000), line.effective + later,
                    line.kind, line.id, _moved(line.change, later) if days else line.change, line.name,
                )
            )  # fmt: skip
        except (msgspec.DecodeError, ValueError, OverflowError) as error:
            raise InvalidInput(f"{path}, line {number}: {error}; correct that line") from None
    return found


def load_history_file(renewal: Renewal, path: Path, progress: Progress, days: int = 0) -> int:
    """Bring a file into a city that has no renewal, all or nothing; how many changes there were.

    Raises `InvalidInput` naming the line, `Conflict` where there is renewal already.
    """
    told = read_history(path, progress, days)
    try:
        renewal.load(told, progress)
    except InvalidInput as error:
        raise InvalidInput(f"{path} was not brought in: {error}") from None
    return len(told)


def _moved(value: Any, later: timedelta) -> Any:
    """A change with all days in it so much later."""
    if isinstance(value, str):
        if not _DAY.fullmatch(value):
            return value
        return (date.fromisoformat(value) + later).isoformat()
    if isinstance(value, Mapping):
        return {key: _moved(one, later) for key, one in value.items()}
    if isinstance(value, list):
        # Outlines are long and have no days.
        return (
            value
            if value and isinstance(value[0], float)
            else [_moved(one, later) for one in value]
        )
    return value
