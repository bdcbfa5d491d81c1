"""What the commands share: options, output, the progress bar."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from cim_core import errors
from cim_core.pace import Pace
from cim_core.progress import Report
from server.stages import stage_pace

EXIT_CODES: dict[type[errors.CimError], int] = {
    errors.NotFound: 3,
    errors.InvalidInput: 4,
    errors.UnsupportedFormat: 5,
    errors.Conflict: 6,
    errors.OutOfDate: 15,
    errors.Forbidden: 7,
    errors.TooLarge: 8,
    errors.MissingDependency: 9,
    errors.StorageFailed: 10,
    errors.SignInNeeded: 13,
    errors.TooMany: 14,
    errors.Cancelled: 130,
}
"""What an exit code says; 1 is an unforeseen error, 2 a wrong command line."""

PARTLY = 11
"""The exit code where some files of a folder were imported and others could not be."""

BROKEN = 12
"""The exit code where the log is not as it was written."""

err = Console(stderr=True)
"""Where people are told things; stdout belongs to results."""

CityOption = Annotated[Path, typer.Option("--city", help="The city's folder.", envvar="CIM_CITY")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def folding_table(*names: str) -> Table:
    """A table that leaves nothing out where the screen is narrow; the first column is not broken."""
    table = Table()
    for number, name in enumerate(names):
        table.add_column(name, overflow="fold", no_wrap=number == 0)
    return table


def print_json(document: object) -> None:
    """Write one JSON document to stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


class _TimeLeft(ProgressColumn):
    """The time the whole work may still take, once there is something to go by."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:
        remaining = self._pace.remaining()
        return Text("" if remaining is None else f"about {time_left(remaining)} left")


def time_left(seconds: float) -> str:
    """A time as exact as an estimate can be.

    >>> [time_left(seconds) for seconds in (0.2, 42, 100, 5000)]
    ['1 s', '42 s', '2 min', '1.4 h']
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


@contextmanager
def progress_bar(name: str) -> Iterator[Report]:
    """Show on stderr how far a piece of work is; gone when it has ended."""
    pace = stage_pace()
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.fields[name]}", markup=False), TextColumn("{task.description}"),
        BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn(),
        _TimeLeft(pace), console=err, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("reading", name=name, total=None)

        def report(done: int, total: int, note: str) -> None:
            pace.note(done, total, note)
            bar.update(task, completed=done, total=total or None, description=note)

        yield report
