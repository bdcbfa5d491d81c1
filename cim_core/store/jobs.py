"""Jobs: work that outlives the request, the process and the power supply."""

import json
import math
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cim_core.errors import Cancelled, Conflict, NoSuchJob, NotReady
from cim_core.feature import Value
from cim_core.receipt import now
from cim_core.sight import Doer
from cim_core.store.database import Database

Status = Literal["accepted", "running", "successful", "failed", "dismissed"]

ENDED = ("successful", "failed", "dismissed")
SILENCE_SECONDS = 5.0
"""A running job whose worker has not been heard of for so long has lost it."""

MAX_ATTEMPTS = 3


_LOST: Mapping[str, Value] = {
    "type": "about:blank", "title": "Worker lost", "status": 500,
    "detail": f"the worker of this job was lost {MAX_ATTEMPTS} times without a word; the city is "
    "as it was before; see the server's log and how much memory the machine has",
    "detail_zh": f"该任务的工作进程已 {MAX_ATTEMPTS} 次无故中断；城市数据保持原样；请查看服务器日志和内存大小",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work, as OGC API – Processes describes it.

    person, who
        The account that ordered it, and its name; None on the command line.
    """

    id: str
    type: str
    status: Status
    layer: str | None
    filename: str | None
    parameters: Mapping[str, Value]
    created: str
    started: str | None
    finished: str | None
    done: int
    total: int
    note: str
    remaining: float | None
    problem: Mapping[str, Value] | None
    report: Mapping[str, Value] | None
    owner: str | None
    attempts: int
    cancel: bool
    person: str | None
    who: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDED

    @property
    def percent(self) -> int:
        """How much of its present stage is behind it, 100 once it has been done well."""
        if self.status == "successful":
            return 100
        return min(100, 100 * self.done // self.total) if self.total > 0 else 0

    def as_dict(self) -> dict[str, Value]:
        """The job as it is served."""
        foretold = self.status == "running" and self.remaining is not None
        return {
            "jobID": self.id,
            "type": self.type,
            "processID": self.parameters.get("process"),
            "status": self.status,
            "layer": self.layer,
            "filename": self.filename,
            "created": self.created,
            "started": self.started,
            "finished": self.finished,
            "progress": self.percent,
            "steps": {"done": self.done, "total": self.total, "note": self.note},
            "remaining_seconds": math.ceil(self.remaining or 0.0) if foretold else None,
            "problem": dict(self.problem) if self.problem else None,
            "report": dict(self.report) if self.report else None,
            "who": self.who,
        }


class Jobs:
    """The jobs of one city. Every change is one statement, so any process may make it."""

    def __init__(self, database: Database, doer: Doer | None = None) -> None:
        self._database = database
        self._doer = doer

    def add(
        self,
        job_type: str,
        layer: str | None,
        filename: str | None,
        parameters: Mapping[str, Value],
        *,
        owner: str | None = None,
    ) -> Job:
        """Put a job in the queue, or give it to `owner` at once; from here on it survives anything."""
        job_id = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(5)}"
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO jobs (id, type, status, layer, filename, parameters, created, person, who)"
                " VALUES (?, ?, 'accepted', ?, ?, ?, ?, ?, ?)",
                (
                    job_id, job_type, layer, filename, json.dumps(dict(parameters)), now(),
                    self._doer.id if self._doer else None, self._doer.name if self._doer else None,
                ),
            )  # fmt: skip
            if owner is not None:
                _claim(connection, job_id, owner)
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """One job; raises `NoSuchJob`."""
        row = self._database.connection.execute(
            "SELECT * FROM jobs WHERE id = ?", (job_id,)
        ).fetchone()
        if row is None:
            raise no_such_job(job_id)
        return _job(row)

    def result(self, job_id: str) -> str:
        """What an analysis that ran as a job found, as JSON; raises `NoSuchJob` or `NotReady`."""
        job = self.get(job_id)
        row = self._database.connection.execute(
            "SELECT body FROM results WHERE job = ?", (job_id,)
        ).fetchone()
        if row is None:
            raise NotReady(
                f"the job {job_id} has no results: it is {job.status}; results come with analyses "
                "that have ended well"
            )
        return str(row[0])

    def newest(self, limit: int) -> list[Job]:
        """The latest jobs first."""
        rows = self._database.connection.execute(
            "SELECT * FROM jobs ORDER BY id DESC LIMIT ?", (limit,)
        )
        return [_job(row) for row in rows]

    def waiting(self) -> list[Job]:
        """Jobs nobody works on, oldest first."""
        rows = self._database.connection.execute(
            "SELECT * FROM jobs WHERE status = 'accepted' ORDER BY id"
        )
        return [_job(row) for row in rows]

    def unended(self) -> list[Job]:
        """Jobs that wait or run, oldest first."""
        rows = self._database.connection.execute(
            "SELECT * FROM jobs WHERE status IN ('accepted', 'running') ORDER BY id"
        )
        return [_job(row) for row in rows]

    def in_vain(self, job_ids: Sequence[str]) -> list[str]:
        """Those of some jobs that failed or were cancelled."""
        rows = self._database.connection.execute(
            "SELECT id FROM jobs WHERE status IN ('failed', 'dismissed')"
            " AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(job_ids)),),
        )
        return [str(row["id"]) for row in rows]

    def strike(self, job_id: str) -> None:
        """Count an attempt of a worker that died before it could claim its job."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET attempts = attempts + 1,"
                " status = CASE WHEN attempts + 1 >= :most THEN 'failed' ELSE status END,"
                " finished = CASE WHEN attempts + 1 >= :most THEN :now END,"
                " problem = CASE WHEN attempts + 1 >= :most THEN :problem END"
                " WHERE id = :id AND status = 'accepted'",
                {
                    "most": MAX_ATTEMPTS,
                    "now": now(),
                    "problem": json.dumps(dict(_LOST)),
                    "id": job_id,
                },
            )

    def claim(self, job_id: str, owner: str) -> bool:
        """Take a waiting job; False when somebody else was faster."""
        with self._database.transaction() as connection:
            return _claim(connection, job_id, owner)

    def beat(
        self,
        job_id: str,
        owner: str,
        done: int,
        total: int,
        note: str,
        remaining: float | None = None,
    ) -> bool:
        """Say that the owner lives and how far it is; False when the job should stop.

        `remaining` are the seconds the job may still take, None when nobody knows.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET beat = ?, done = ?, total = ?, note = ?, remaining = ?"
                " WHERE id = ? AND owner = ? AND status = 'running'",
                (time.time(), done, total, note, remaining, job_id, owner),
            )
            row = connection.execute(
                "SELECT owner, status, cancel FROM jobs WHERE id = ?", (job_id,)
            ).fetchone()
        return (
            row is not None
            and row["owner"] == owner
            and row["status"] == "running"
            and not row["cancel"]
        )

    def fail(self, job_id: str, owner: str, problem: Mapping[str, Value]) -> None:
        """End a job that could not be done."""
        self._end(job_id, owner, "failed", json.dumps(dict(problem), ensure_ascii=False))

    def dismissed(self, job_id: str, owner: str) -> None:
        """End a job that was cancelled."""
        self._end(job_id, owner, "dismissed", None)

    def _end(self, job_id: str, owner: str, status: Status, problem: str | None) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET status = ?, finished = ?, problem = ?, owner = NULL"
                " WHERE id = ? AND owner = ? AND status = 'running'",
                (status, now(), problem, job_id, owner),
            )

    def release(self, job_id: str, owner: str) -> None:
        """Give a job back unfinished, as at an orderly shutdown."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET status = 'accepted', owner = NULL, attempts = attempts - 1"
                " WHERE id = ? AND owner = ? AND status = 'running'",
                (job_id, owner),
            )

    def cancel(self, job_id: str) -> Job:
        """Ask for a job to stop: at once if it waits, at its next step if it runs."""
        job = self.get(job_id)
        if job.ended:
            raise Conflict(
                f"the job {job_id} has ended already ({job.status}); nothing is left to cancel"
            )
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET status = 'dismissed', finished = ?"
                " WHERE id = ? AND status = 'accepted'",
                (now(), job_id),
            )
            connection.execute("UPDATE jobs SET cancel = 1 WHERE id = ?", (job_id,))
        return self.get(job_id)

    def recover(self, is_dead: Callable[[str], bool] = lambda owner: False) -> None:
        """Put jobs whose worker is lost back in the queue, or end those that keep losing theirs.

        A worker is lost when it has been silent for `SILENCE_SECONDS`, or when `is_dead` knows
        more of its owner name.
        """
        running = self._database.connection.execute(
            "SELECT id, owner, beat FROM jobs WHERE status = 'running'"
        ).fetchall()
        silent_since = time.time() - SILENCE_SECONDS
        for row in running:
            if row["beat"] < silent_since or is_dead(row["owner"]):
                self._take_back(row["id"], row["owner"], row["beat"])

    def _take_back(self, job_id: str, owner: str, beat: float) -> None:
        """All in one statement that holds only if the worker has stayed silent meanwhile."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET owner = NULL, done = 0, total = 0, note = 'waiting',"
                " status = CASE WHEN cancel = 1 THEN 'dismissed' WHEN attempts >= :most THEN 'failed'"
                "  ELSE 'accepted' END,"
                " finished = CASE WHEN cancel = 1 OR attempts >= :most THEN :now END,"
                " problem = CASE WHEN cancel = 0 AND attempts >= :most THEN :problem END"
                " WHERE id = :id AND owner = :owner AND beat = :beat AND status = 'running'",
                {
                    "most": MAX_ATTEMPTS, "now": now(), "problem": json.dumps(dict(_LOST)),
                    "id": job_id, "owner": owner, "beat": beat,
                },
            )  # fmt: skip


def no_such_job(job_id: str) -> NoSuchJob:
    """That there is no such job, or none that may be seen."""
    return NoSuchJob(f"there is no job {job_id!r} in this city")


def _claim(connection: sqlite3.Connection, job_id: str, owner: str) -> bool:
    cursor = connection.execute(
        "UPDATE jobs SET status = 'running', owner = ?, beat = ?, attempts = attempts + 1,"
        " remaining = NULL, started = COALESCE(started, ?) WHERE id = ? AND status = 'accepted'",
        (owner, time.time(), now(), job_id),
    )
    return cursor.rowcount == 1


def keep_result(connection: sqlite3.Connection, job_id: str, body: str) -> None:
    """Keep what a job found, inside the transaction that ends it."""
    connection.execute("INSERT INTO results (job, body) VALUES (?, ?)", (job_id, body))


def succeed_job(
    connection: sqlite3.Connection, job_id: str, owner: str, report: Mapping[str, Value]
) -> None:
    """End a job well, inside the transaction that publishes its result.

    Raises `Cancelled` when the job is no longer this owner's, so that the result is not published.
    """
    cursor = connection.execute(
        "UPDATE jobs SET status = 'successful', finished = ?, report = ?, owner = NULL,"
        " note = 'publishing', done = total"
        " WHERE id = ? AND owner = ? AND status = 'running' AND cancel = 0",
        (now(), json.dumps(dict(report), ensure_ascii=False), job_id, owner),
    )
    if cursor.rowcount != 1:
        raise Cancelled("the job was cancelled or taken over; the city is as it was before")


def _job(row: sqlite3.Row) -> Job:
    return Job(
        row["id"], row["type"], row["status"], row["layer"], row["filename"],
        json.loads(row["parameters"]), row["created"], row["started"], row["finished"],
        row["done"], row["total"], row["note"], row["remaining"],
        json.loads(row["problem"]) if row["problem"] else None,
        json.loads(row["report"]) if row["report"] else None,
        row["owner"], row["attempts"], bool(row["cancel"]), row["person"], row["who"],
    )  # fmt: skip
