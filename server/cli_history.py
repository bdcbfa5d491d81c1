"""`cim history`: what was observed, kept for years."""

import csv
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.observations import Streams
from cim_core.progress import Progress
from server.cli_audited import audited
from server.cli_parts import PARTLY, CityOption, JsonOption, err, print_json, progress_bar

history = typer.Typer(no_args_is_help=True, help="Observations that are no longer new.")

_NAMED = 5
"""So many of the rows that cannot be taken are named where no file was given for them."""


@history.command()
def status(city: CityOption, as_json: JsonOption = False) -> None:
    """Say how much history there is, and how many observations are still hot."""
    found = City.open(city).history.status()
    if as_json:
        print_json(found)
        return
    table = Table(show_header=False)
    for name, value in found.items():
        if name in ("first", "last") and value is not None:
            value = datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="seconds")  # noqa: PLW2901
        table.add_row(name.replace("_", " "), "" if value is None else str(value))
    Console().print(table)


@history.command()
def compact(
    city: CityOption,
    at_least: Annotated[
        int, typer.Option(min=1, help="Do nothing where fewer observations are hot.")
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Make history of all that is hot now, and one sorted file of each day."""
    opened = City.open(city)
    with audited(opened, "manage", "cim history compact") as said, progress_bar("history") as bar:
        said["rows"] = moved = opened.history.move(Progress(bar), at_least)
        opened.history.maintain()
    if as_json:
        print_json({"moved": moved, **opened.history.status()})
    else:
        Console().print(f"{moved} observations are history now", highlight=False)


@history.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files.")],
    city: CityOption,
    datastream: Annotated[
        str | None,
        typer.Option(help="Whose observations these are, where the files have no such column."),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="The zone of times that name none, as in Asia/Shanghai.")
    ] = None,
    refused: Annotated[
        Path | None, typer.Option(help="Write the rows that cannot be taken to this CSV file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fill in observations of the past: datastream (key or id), time, value, perhaps lon and lat.

    Those that are known already are left alone, so a file may be imported again. Rows without a value
    are the gaps they are.
    """
    opened = City.open(city)
    streams = opened.live.streams()
    if datastream is not None and not _known(datastream, streams):
        raise InvalidInput(
            f"there is no datastream {datastream!r}; name one that a thing of the city has"
        )
    zone = None if time_zone is None else _zone(time_zone)
    total = _Told()
    with audited(opened, "record", "cim history import", files=len(files)) as said:
        for path in files:
            with progress_bar(path.name) as bar:
                _import(opened, path, (streams, datastream, zone), total, Progress(bar))
        said.update(total.numbers())
    if refused is not None:
        total.write(refused)
    if as_json:
        print_json({**total.numbers(), "rows_refused": total.as_dicts()})
    else:
        Console().print(total.sentence(), highlight=False, soft_wrap=True)
    if total.refused:
        if refused is None:
            err.print(escape(total.refusal()), highlight=False, soft_wrap=True)
        raise SystemExit(PARTLY)


class _Told:
    """What became of the rows of all files."""

    def __init__(self) -> None:
        self.new = self.known = self.gaps = 0
        self.refused: list[tuple[str, int, str]] = []

    def numbers(self) -> dict[str, int]:
        return {
            "new": self.new, "known": self.known, "gaps": self.gaps, "refused": len(self.refused)
        }  # fmt: skip

    def as_dicts(self) -> list[dict[str, str | int]]:
        return [{"file": file, "row": row, "reason": why} for file, row, why in self.refused]

    def sentence(self) -> str:
        return f"{self.new} observations are new, {self.known} were known, {self.gaps} rows have no value"

    def refusal(self) -> str:
        named = "; ".join(f"{file} row {row}: {why}" for file, row, why in self.refused[:_NAMED])
        more = len(self.refused) - _NAMED
        return (
            f"{len(self.refused)} rows cannot be taken ({named}"
            + (f"; and {more} more" if more > 0 else "")
            + "); correct them and import the file again, --refused lists all"
        )

    def write(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(("file", "row", "reason"))
            writer.writerows(self.refused)


def _import(
    city: City, path: Path, said: tuple[Streams, str | None, ZoneInfo | None], total: _Told,
    progress: Progress,
) -> None:  # fmt: skip
    from cim_core.store.history_import import ObservationFile  # DuckDB takes a moment to load

    file = ObservationFile(path, *said)
    for part in file.parts(time.time_ns() // 1_000_000):
        new = city.history.add(part.observations)
        total.new += new
        total.known += len(part.observations) - new
        total.gaps += part.gaps
        total.refused += [(path.name, one.row, one.why) for one in part.refused]
        progress(part.read, file.rows, "history")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise InvalidInput(
            f"there is no time zone {name!r}; give one such as Asia/Shanghai or UTC"
        ) from error


def _known(name: str, streams: Streams) -> bool:
    return name in streams.by_key or (name.isdigit() and int(name) in streams.by_id)
