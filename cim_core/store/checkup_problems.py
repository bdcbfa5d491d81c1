"""What check-ups found wrong, unit by unit, and what became of each."""

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cim_core.errors import NotFound, OutOfDate
from cim_core.sight import Doer
from cim_core.store.checkup_file import CheckupFile

ProblemState = Literal["open", "assigned", "solved"]
SeenKinds = Mapping[str, Collection[str]]
"""Indicators that are seen, each with the kinds of units that it is told of."""


@dataclass(frozen=True, slots=True)
class ProblemEvent:
    """One change of a problem; `change` is what was set."""

    recorded: int
    change: Mapping[str, Any]
    name: str


@dataclass(frozen=True, slots=True)
class KeptProblem:
    """A unit that misses a target, and what became of that.

    project
        The id of the renewal project that answers it, if any.
    document
        What is wrong, as it was examined.
    """

    id: str
    run: str
    code: str
    by: str
    unit: str
    version: int
    state: ProblemState
    project: str | None
    note: str
    document: Mapping[str, Any]


class CheckupProblems:
    """The problems of one city's runs, of the indicators and the kinds of units that are seen."""

    def __init__(self, file: CheckupFile, seen_kinds: Callable[[str], SeenKinds]) -> None:
        self._file, self._seen_kinds = file, seen_kinds

    def of_run(self, run: str) -> list[KeptProblem]:
        """The problems of a run, in the order in which they were found; raises `NotFound`."""
        seen = self._seen_kinds(run)
        rows = self._file.rows("SELECT * FROM problems WHERE run = ? ORDER BY number", run)
        return [_problem(row) for row in rows if _is_seen(row, seen)]

    def counts(self) -> dict[str, dict[tuple[str, str, str], int]]:
        """How many problems each run has: {run: {(code, kind of units, state): n}}, seen or not."""
        counted: dict[str, dict[tuple[str, str, str], int]] = {}
        for row in self._file.rows(
            "SELECT run, code, unit_by, state, COUNT(*) AS n FROM problems"
            " GROUP BY run, code, unit_by, state"
        ):
            key = (row["code"], row["unit_by"], row["state"])
            counted.setdefault(row["run"], {})[key] = int(row["n"])
        return counted

    def get(self, key: str) -> KeptProblem:
        """One problem; raises `NotFound`."""
        row = self._file.row("SELECT * FROM problems WHERE id = ?", key)
        if row is not None and _is_seen(row, self._kinds(row["run"])):
            return _problem(row)
        raise NotFound(f"there is no problem {key!r} here; GET /checkup lists the check-ups")

    def history(self, run: str) -> dict[str, list[ProblemEvent]]:
        """What was done with the problems of a run, by problem and in that order."""
        found: dict[str, list[ProblemEvent]] = {}
        for row in self._file.rows(
            "SELECT e.* FROM problem_events e JOIN problems p ON p.id = e.problem WHERE p.run = ?"
            " ORDER BY e.seq",
            run,
        ):
            event = ProblemEvent(int(row["recorded"]), json.loads(row["change"]), row["name"])
            found.setdefault(row["problem"], []).append(event)
        return found

    def change(
        self, key: str, version: int, change: Mapping[str, Any], doer: Doer | None
    ) -> KeptProblem:
        """Set the state, the project or the note of the version that was looked at.

        `change` has some of "state", "project" and "note". Raises `OutOfDate`, `NotFound`.
        """
        before = self.get(key)
        name = doer.name if doer else ""
        with self._file.transaction() as connection:
            done = connection.execute(
                "UPDATE problems SET version = version + 1, state = ?, project = ?, note = ?"
                " WHERE id = ? AND version = ?",
                (
                    change.get("state", before.state), change.get("project", before.project),
                    change.get("note", before.note), key, version,
                ),
            )  # fmt: skip
            if done.rowcount != 1:
                raise OutOfDate(
                    f"the problem {key!r} was changed meanwhile (it is at version {before.version}, not "
                    f"{version}); look at it again and repeat"
                )
            connection.execute(
                "INSERT INTO problem_events (problem, recorded, change, person, name)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    key, self._file.now(), json.dumps(dict(change), ensure_ascii=False),
                    doer.id if doer else None, name,
                ),
            )  # fmt: skip
        return self.get(key)

    def _kinds(self, run: str) -> SeenKinds:
        try:
            return self._seen_kinds(run)
        except NotFound:  # a run of which nothing is seen
            return {}


def add_problems(
    connection: sqlite3.Connection, run: str, problems: Sequence[Mapping[str, Any]]
) -> None:
    """Keep what was found wrong in a run, as part of a transaction."""
    connection.executemany(
        "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?, 1, 'open', NULL, '', ?)",
        [
            (
                f"{run}.{number}", run, number, one["code"], one["by"], one["unit"],
                json.dumps(dict(one), ensure_ascii=False),
            )
            for number, one in enumerate(problems, 1)
        ],
    )  # fmt: skip


def _is_seen(row: sqlite3.Row, seen: SeenKinds) -> bool:
    return row["unit_by"] in seen.get(row["code"], ())


def _problem(row: sqlite3.Row) -> KeptProblem:
    return KeptProblem(
        row["id"], row["run"], row["code"], row["unit_by"], row["unit"], int(row["version"]),
        row["state"], row["project"], row["note"], json.loads(row["document"]),
    )  # fmt: skip
