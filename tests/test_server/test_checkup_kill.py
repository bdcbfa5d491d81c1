"""`kill -9` while a city is examined: a check-up is there whole or not at all, and is made once."""

import copy
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from analysis.checkup.examine import examine
from analysis.checkup.problems import problems
from analysis.checkup.roles import city_roles
from analysis.checkup.scene import Scene
from cim_core.city import City
from cim_core.store.jobs import Job
from server.checkup.sets import found_set
from tests.support.checkups import DOER, checkup_city, mini_set
from tests.support.serving import Server

RADII = 100
"""Indicators of a set, each of which takes some hundredths of a second."""
CELLS = 16
SOAK_KILLS = 40
PATIENCE = 60.0


def long_set(key: str, first: float) -> dict[str, Any]:
    """A set of many radii, from so many metres on, so that nothing is known from another set."""
    found = mini_set(key)
    for number in range(RADII):
        one = copy.deepcopy(found["indicators"][0])
        one["code"] = f"r{number}"
        one["formula"]["sites"][0]["radius"] = first + number / 10
        found["indicators"].append(one)
    return found


class Examined:
    """A city that is examined by a server, which may be killed."""

    def __init__(self, folder: Path) -> None:
        self.city = City.open_or_create(folder / "city")
        checkup_city(self.city, folder / "files")
        self._log = folder / "log"
        self.server = Server(self.city.folder, self._log)
        self.jobs: list[str] = []

    def order(self) -> str:
        """Order a check-up by a set of its own; its job."""
        key = f"long-{len(self.jobs)}"
        self.city.checkups.sets.put(key, long_set(key, 200.0 + 20 * len(self.jobs)), None, DOER)
        order = {"set": key, "year": 2025}
        answer = self.server.client.post("/checkup/runs", json=order)
        assert answer.status_code == 202, answer.text
        self.jobs.append(answer.json()["jobID"])
        return self.jobs[-1]

    def when(self, job_id: str, is_so: Callable[[Job], bool]) -> Job:
        """The job as soon as something is so of it."""
        deadline = time.monotonic() + PATIENCE
        while not is_so(job := self.city.jobs.get(job_id)):
            assert time.monotonic() < deadline, job
            time.sleep(0.02)
        return job

    def killed(self, *victims: str, owner: str | None) -> None:
        """Kill the worker, the server or both at once; a server is started again."""
        if "worker" in victims and owner is not None:
            with suppress(ProcessLookupError):  # it had just ended by itself
                os.kill(int(owner.rsplit(":", 2)[1]), signal.SIGKILL)
        if "server" in victims:
            self.server.kill()
            self.server = Server(self.city.folder, self._log)

    def listed(self) -> list[str]:
        """The ids of the check-ups that are served."""
        return [run["id"] for run in self.server.client.get("/checkup?f=json").json()["runs"]]

    def assert_whole(self) -> list[str]:
        """Every check-up that is served is served whole, and made by one job; their ids."""
        client = self.server.client
        listed = self.listed()
        made = [self.city.checkups.made_by(job) for job in self.jobs]
        assert len(set(listed)) == len(listed) <= len(self.jobs)
        for key in listed:
            told = client.get(f"/checkup/runs/{key}")
            if told.status_code == 404:
                assert key not in self.listed()  # its job had failed, and it was taken back
                continue
            run = told.json()
            assert len(run["indicators"]) == RADII + 5
            assert client.get(f"/receipts/{run['receipt']}").status_code == 200
            for code in ("16", "r0", f"r{RADII - 1}"):
                answer = client.get(f"/checkup/runs/{key}/indicators/{code}/units?by=cell")
                assert answer.status_code == 200, answer.text
                assert len(answer.json()["units"]) == CELLS
            assert made.count(key) == 1
        return listed

    def assert_exact(self, job_id: str) -> None:
        """The run of a job that ended well has every value as if nobody had been killed."""
        job = self.city.jobs.get(job_id)
        assert job.status == "successful", job
        run = self.city.checkups.run(str(job.report["run"]))
        scene = Scene(self.city, city_roles(self.city))
        fresh = examine(scene, found_set(self.city, run.document["set"]).whole, lambda _: None)
        assert run.codes == [one.code for one in fresh.set.indicators]
        for entry in run.document["indicators"]:
            assert self.city.checkups.packed(entry["digest"]) == fresh.packed(entry["code"])
        found = self.city.checkups.problems.counts()[run.id]
        assert sum(found.values()) == len(problems(fresh, scene)) > 0


def amid(job: Job) -> bool:
    """Whether a worker is in the midst of an examination."""
    return job.status == "running" and job.note == "looking" and 0 < job.done < job.total


def test_a_check_up_is_made_once_whoever_is_killed_meanwhile(tmp_path: Path) -> None:
    at = Examined(tmp_path)
    job_id = at.order()
    first = at.when(job_id, amid)
    at.killed("worker", "server", owner=first.owner)
    assert at.assert_whole() == []
    second = at.when(job_id, lambda job: amid(job) and job.owner != first.owner)
    at.killed("server", owner=second.owner)  # its worker lives on, and ends what it began
    at.when(job_id, lambda job: job.ended)
    [run] = at.assert_whole()
    at.assert_exact(job_id)
    assert at.server.finished(job_id)["report"]["run"] == run == "2025-1"
    at.server.stop()
    assert at.city.jobs.get(job_id).attempts == 2


@pytest.mark.soak
def test_at_any_moment_a_check_up_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    rng = random.Random(20261123)
    at = Examined(tmp_path)
    job_id = at.order()
    for _ in range(SOAK_KILLS):
        if at.city.jobs.get(job_id).ended:
            job_id = at.order()
        time.sleep(rng.uniform(0.0, 5.0))
        victims = rng.choice([("server",), ("worker",), ("server", "worker")])
        at.killed(*victims, owner=at.city.jobs.get(job_id).owner)
        at.assert_whole()
    at.when(job_id, lambda job: job.ended)
    last = at.order()
    at.when(last, lambda job: job.ended)
    ended = [at.city.jobs.get(job) for job in at.jobs]
    well = [job.id for job in ended if job.status == "successful"]
    assert last in well
    for job in well:
        at.assert_exact(job)
    # A job that lost its worker too often has left no check-up.
    deadline = time.monotonic() + PATIENCE
    while len(at.assert_whole()) != len(well):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    at.server.stop()
