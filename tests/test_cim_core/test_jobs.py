"""Jobs: claimed once, recovered when their worker is lost, fenced against the dead."""

import time

import pytest

from cim_core.city import City
from cim_core.errors import Cancelled, Conflict, NotFound
from cim_core.store import jobs as store
from cim_core.store.jobs import succeed_job


@pytest.fixture
def job(city: City) -> store.Job:
    return city.jobs.add("import", "a", "a.ifc", {"path": "/x"})


def silence(city: City, job_id: str) -> None:
    with city.database.transaction() as connection:
        connection.execute("UPDATE jobs SET beat = ? WHERE id = ?", (time.time() - 60, job_id))


def test_only_one_worker_gets_a_job(city: City, job: store.Job) -> None:
    assert [city.jobs.claim(job.id, owner) for owner in ("a", "b")] == [True, False]
    assert city.jobs.get(job.id).owner == "a"


def test_a_lost_worker_costs_an_attempt_and_the_third_ends_the_job(
    city: City, job: store.Job
) -> None:
    for _ in range(store.MAX_ATTEMPTS):
        assert city.jobs.claim(job.id, "worker")
        silence(city, job.id)
        city.jobs.recover()
    ended = city.jobs.get(job.id)
    assert ended.status == "failed"
    assert ended.problem is not None
    assert "lost 3 times" in str(ended.problem["detail"])


def test_a_worker_that_beats_keeps_its_job(city: City, job: store.Job) -> None:
    city.jobs.claim(job.id, "worker")
    assert city.jobs.beat(job.id, "worker", 3, 9, "geometry")
    city.jobs.recover()
    assert city.jobs.get(job.id).status == "running"
    assert city.jobs.get(job.id).done == 3


def test_the_time_left_is_told_while_a_job_runs(city: City, job: store.Job) -> None:
    assert job.as_dict()["remaining_seconds"] is None
    city.jobs.claim(job.id, "worker")
    city.jobs.beat(job.id, "worker", 3, 9, "geometry")
    assert city.jobs.get(job.id).as_dict()["remaining_seconds"] is None
    city.jobs.beat(job.id, "worker", 4, 9, "geometry", 12.3)
    assert city.jobs.get(job.id).as_dict()["remaining_seconds"] == 13
    city.jobs.dismissed(job.id, "worker")
    assert city.jobs.get(job.id).as_dict()["remaining_seconds"] is None


def test_a_job_taken_up_again_has_no_time_left_from_before(city: City, job: store.Job) -> None:
    city.jobs.claim(job.id, "worker")
    city.jobs.beat(job.id, "worker", 4, 9, "geometry", 12.3)
    city.jobs.release(job.id, "worker")
    city.jobs.claim(job.id, "another")
    assert city.jobs.get(job.id).as_dict()["remaining_seconds"] is None


def test_a_worker_thought_dead_cannot_publish(city: City, job: store.Job) -> None:
    city.jobs.claim(job.id, "first")
    silence(city, job.id)
    city.jobs.recover()
    city.jobs.claim(job.id, "second")
    assert not city.jobs.beat(job.id, "first", 0, 0, "")
    with pytest.raises(Cancelled), city.database.transaction() as connection:
        succeed_job(connection, job.id, "first", {})
    assert city.jobs.get(job.id).owner == "second"


def test_cancelling_a_waiting_job_ends_it_and_a_running_one_is_told(city: City) -> None:
    waiting = city.jobs.add("import", "a", "a.ifc", {})
    assert city.jobs.cancel(waiting.id).status == "dismissed"
    running = city.jobs.add("import", "a", "a.ifc", {}, owner="me")
    assert city.jobs.cancel(running.id).status == "running"
    assert not city.jobs.beat(running.id, "me", 0, 0, "")
    with pytest.raises(Cancelled), city.database.transaction() as connection:
        succeed_job(connection, running.id, "me", {})
    city.jobs.dismissed(running.id, "me")
    with pytest.raises(Conflict, match="ended already"):
        city.jobs.cancel(running.id)


def test_a_released_job_waits_again_without_an_attempt(city: City, job: store.Job) -> None:
    city.jobs.claim(job.id, "worker")
    city.jobs.release(job.id, "worker")
    again = city.jobs.get(job.id)
    assert (again.status, again.attempts) == ("accepted", 0)


def test_an_unknown_job_is_not_found(city: City) -> None:
    with pytest.raises(NotFound):
        city.jobs.get("nope")
