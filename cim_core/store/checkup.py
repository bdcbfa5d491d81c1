"""The one door to a city's check-ups: runs, each kept as it was examined, and what belongs to them."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cim_core.errors import Conflict, NotFound
from cim_core.sight import EVERYTHING, Doer, Sight
from cim_core.store.checkup_file import CheckupFile
from cim_core.store.checkup_problems import CheckupProblems, add_problems
from cim_core.store.checkup_sets import CheckupSets

RunState = Literal["draft", "submitted"]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A check-up as it was examined, of which only what is seen is there.

    made, submitted
        Milliseconds since 1970.
    document
        What was examined and found: {"indicators": [{"code", "layers", "digest", "by", …}],
        "units": {kind: {"digest", "layers"}}, …}.
    hidden
        How many indicators are left out for who asks.
    """

    id: str
    made: int
    name: str
    state: RunState
    submitted: int | None
    document: Document
    hidden: int = 0

    def indicator(self, code: str) -> Document:
        """What was found for one of its indicators; raises `NotFound`."""
        for entry in self.document["indicators"]:
            if entry["code"] == code:
                found: Document = entry
                return found
        raise NotFound(f"the check-up {self.id!r} has no indicator {code!r} here")

    @property
    def codes(self) -> list[str]:
        """The codes of the indicators that are there."""
        return [entry["code"] for entry in self.document["indicators"]]

    @property
    def kinds(self) -> dict[str, list[str]]:
        """The kinds of units that each of them is told of, by code."""
        return {entry["code"]: entry["by"] for entry in self.document["indicators"]}


class Checkups:
    """A city's check-ups, as somebody sees them. A city without `checkup.db` has none.

    They are internal: who sees nothing of what is internal sees none. Of the others everybody sees
    the indicators that are made of layers they see as a whole, and what is told of kinds of units
    that they see as a whole.

    sets, problems
        The sets of indicators that the city made; what was found wrong.
    """

    def __init__(self, folder: Path) -> None:
        self._file = CheckupFile(folder)
        self._see(EVERYTHING)

    def _see(self, sight: Sight) -> None:
        self._sight = sight
        self.visible = sight.towns is None or bool(sight.towns)
        self.sets = CheckupSets(self._file, visible=self.visible, people=sight.people)
        self.problems = CheckupProblems(self._file, self._seen_kinds)

    def seen_by(self, sight: Sight) -> "Checkups":
        """The same with nothing but what somebody sees."""
        seen = Checkups.__new__(Checkups)
        seen._file = self._file
        seen._see(sight)
        return seen

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept."""
        return self._file.exists

    @property
    def revision(self) -> int:
        """A number that grows with every change of runs, sets and problems, seen or not."""
        row = self._file.row(
            "SELECT (SELECT COALESCE(SUM(seq), 0) FROM sqlite_sequence"
            " WHERE name IN ('runs', 'problem_events'))"
            " + (SELECT COALESCE(SUM(version), 0) FROM sets)"
            " + (SELECT COALESCE(SUM(state = 'submitted'), 0) FROM runs)"
            " + (SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'runs')"  # removed:
            " - (SELECT COUNT(*) FROM runs)"
        )
        return int(row[0]) if row else 0

    def runs(self) -> list[Run]:
        """All runs of which something is seen, the newest first."""
        if not self.visible:
            return []
        rows = self._file.rows("SELECT * FROM runs ORDER BY seq DESC")
        found = [self._run(row) for row in rows]
        return [run for run in found if run.document["indicators"] or not run.hidden]

    def run(self, key: str) -> Run:
        """One run; raises `NotFound`."""
        row = self._file.row("SELECT * FROM runs WHERE id = ?", key) if self.visible else None
        found = self._run(row) if row is not None else None
        if found is None or (found.hidden and not found.document["indicators"]):
            raise NotFound(f"there is no check-up {key!r} here; GET /checkup lists them")
        return found

    def made_by(self, job: str) -> str | None:
        """The id of the run that a job has made already."""
        row = self._file.row("SELECT id FROM runs WHERE job = ?", job)
        return None if row is None else str(row[0])

    def jobs(self) -> list[str]:
        """The jobs that made the runs that may still be removed."""
        rows = self._file.rows("SELECT job FROM runs WHERE state = 'draft' AND job IS NOT NULL")
        return [str(row["job"]) for row in rows]

    def packed(self, digest: str) -> bytes | None:
        """Packed values or shapes by the digest of what they were made of."""
        row = self._file.row("SELECT body FROM packed WHERE digest = ?", digest)
        return None if row is None else bytes(row[0])

    def add(
        self,
        document: Mapping[str, Any],
        packed: Iterable[tuple[str, bytes]],
        problems: Sequence[Mapping[str, Any]],
        doer: Doer | None,
        name: str,
        job: str | None = None,
    ) -> str:
        """Keep a run with its values and its problems, all at once; its id.

        `packed` names each content by its digest; what is there already is not written again. A job
        that has made its run already makes no second one.
        """
        with self._file.transaction() as connection:
            if job is not None:
                row = connection.execute("SELECT id FROM runs WHERE job = ?", (job,)).fetchone()
                if row is not None:
                    return str(row[0])
            key = f"{document['year']}-{_number(connection, str(document['year']))}"
            connection.execute(
                "INSERT INTO runs (id, job, made, person, name, state, document)"
                " VALUES (?, ?, ?, ?, ?, 'draft', ?)",
                (
                    key, job, self._file.now(), doer.id if doer else None, name,
                    json.dumps(dict(document), ensure_ascii=False),
                ),
            )  # fmt: skip
            for digest, body in packed:
                connection.execute("INSERT OR IGNORE INTO packed VALUES (?, ?)", (digest, body))
                connection.execute("INSERT OR IGNORE INTO run_packed VALUES (?, ?)", (key, digest))
            add_problems(connection, key, problems)
        return key

    def submit(self, key: str) -> Run:
        """From now on the run never changes; raises `NotFound`, `Conflict` for one that is."""
        self.run(key)
        with self._file.transaction() as connection:
            done = connection.execute(
                "UPDATE runs SET state = 'submitted', submitted = ? WHERE id = ? AND state = 'draft'",
                (self._file.now(), key),
            )
            if done.rowcount != 1:
                raise Conflict(f"the check-up {key!r} has been submitted already")
        return self.run(key)

    def remove(self, key: str) -> None:
        """Remove a run that was not submitted, with its problems and the values only it has."""
        self.run(key)
        self._removed("id", key)

    def take_back(self, job: str) -> None:
        """Remove what a job made that nobody wants any more."""
        if self.made_by(job) is not None:
            self._removed("job", job)

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        self._file.close()

    def _removed(self, column: Literal["id", "job"], value: str) -> None:
        with self._file.transaction() as connection:
            done = connection.execute(
                f"DELETE FROM runs WHERE {column} = ? AND state = 'draft'", (value,)
            )
            if done.rowcount != 1:
                raise Conflict(
                    f"the check-up {value!r} was submitted, and stays; examine again for another"
                )
            connection.execute(
                "DELETE FROM packed WHERE digest NOT IN (SELECT digest FROM run_packed)"
            )

    def _seen_kinds(self, key: str) -> dict[str, list[str]]:
        return self.run(key).kinds

    def _run(self, row: sqlite3.Row) -> Run:
        document = json.loads(row["document"])
        every = document["indicators"]
        wholly = self._sight.wholly
        units = {by: one for by, one in document["units"].items() if wholly(one["layers"])}
        seen = [
            {**entry, "by": [by for by in entry["by"] if by in units]}
            for entry in every
            if wholly(entry["layers"])
        ]
        used = {layer for entry in seen for layer in entry["layers"]}
        inputs = [one for one in document["inputs"] if used.issuperset(one["layers"])]
        shown = {**document, "indicators": seen, "units": units, "inputs": inputs}
        return Run(
            row["id"], int(row["made"]), row["name"], row["state"], row["submitted"], shown,
            len(every) - len(seen),
        )  # fmt: skip


def _number(connection: sqlite3.Connection, series: str) -> int:
    """The next number of a series; none is given twice."""
    row = connection.execute(
        "INSERT INTO numbers VALUES (?, 1)"
        " ON CONFLICT (series) DO UPDATE SET last = last + 1 RETURNING last",
        (series,),
    ).fetchone()
    return int(row[0])
