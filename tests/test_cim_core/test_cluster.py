"""Work on a real Dask cluster: the same answers, and machines that die without a word."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cim_core.errors import Cancelled, MissingDependency
from cim_core.progress import Progress
from cim_core.work import Crew, Failure, Limits, stream
from tests.support.dask_cluster import ROOT, DaskCluster
from tests.support.tasks import make_diary, make_nothing, make_squares

GOOD = [f"item{number}" for number in range(20)]


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Two workers, for tests that leave them alive."""
    running = DaskCluster(tmp_path_factory.mktemp("dask"), workers=2)
    yield running
    running.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    """Two workers, to be killed."""
    running = DaskCluster(tmp_path, workers=2)
    yield running
    running.stop()


def eventually(true: Callable[[], bool]) -> None:
    last = time.monotonic() + 30
    while not true():
        assert time.monotonic() < last
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def openers(diary: Path) -> list[int]:
    return [int(line) for line in diary.read_text().splitlines()] if diary.is_file() else []


@pytest.mark.parametrize(
    ("poison", "reason"), [("crash", "crashed"), ("sleep", "took more than"), ("exit", "code 3")]
)
def test_a_poisonous_item_fails_alone(
    shared_cluster: DaskCluster, poison: str, reason: str
) -> None:
    crew = Crew(limits=Limits(seconds=3.0), scheduler=shared_cluster.address)
    batches = [[*GOOD[:7], "bad1", *GOOD[7:12]], [*GOOD[12:], "bad2"]]
    answers = list(stream(make_squares, (poison,), batches, crew=crew))
    assert sorted(item for item, _ in answers) == sorted([*GOOD, "bad1", "bad2"])
    results = dict(answers)
    assert all(results[item] == len(item) ** 2 for item in GOOD)
    for item in ("bad1", "bad2"):
        assert isinstance(results[item], Failure)
        assert reason in results[item].reason
    assert all(worker.poll() is None for worker in shared_cluster.workers)


def test_what_the_work_needs_is_opened_once_in_each_worker_and_closed_at_the_end(
    shared_cluster: DaskCluster, tmp_path: Path
) -> None:
    diary = tmp_path / "diary"
    batches = [[f"wait{number}"] for number in range(20)]
    crew = Crew(scheduler=shared_cluster.address)
    answers = dict(stream(make_diary, (str(diary),), batches, crew=crew))
    assert len(answers) == 20
    assert len(openers(diary)) == 2
    eventually(lambda: not any(alive(pid) for pid in openers(diary)))


def test_cancelling_releases_the_cluster(shared_cluster: DaskCluster, tmp_path: Path) -> None:
    unwanted = threading.Event()
    diary = tmp_path / "diary"
    answers = stream(
        make_diary, (str(diary),), [["a"], ["b"], *([["sleep"]] * 20)],
        crew=Crew(scheduler=shared_cluster.address), progress=Progress(cancelled=unwanted.is_set),
    )  # fmt: skip
    assert {next(answers)[0], next(answers)[0]} == {"a", "b"}
    unwanted.set()
    with pytest.raises(Cancelled):
        next(answers)
    eventually(lambda: not any(alive(pid) for pid in openers(diary)))
    # The next order is not behind what was cancelled.
    crew = Crew(scheduler=shared_cluster.address)
    assert len(list(stream(make_squares, ("none",), [GOOD], crew=crew))) == len(GOOD)


def test_a_task_that_cannot_be_made_says_why(shared_cluster: DaskCluster) -> None:
    with pytest.raises(MissingDependency, match=r"cannot do the work \(this task cannot be made\)"):
        list(stream(make_nothing, (), [["a"]], crew=Crew(scheduler=shared_cluster.address)))


def test_no_items_need_no_cluster() -> None:
    assert list(stream(make_squares, ("none",), [], crew=Crew(scheduler="tcp://127.0.0.1:1"))) == []


def test_a_worker_killed_amid_600_tasks_costs_none_of_them(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    items = [f"item{number}" for number in range(600)]
    crew = Crew(scheduler=cluster.address)
    answers: list[tuple[str, object]] = []
    diary = tmp_path / "diary"
    for answer in stream(make_diary, (str(diary),), [[item] for item in items], crew=crew):
        answers.append(answer)
        if len(answers) == 100:
            cluster.kill(0)
    assert sorted(item for item, _ in answers) == sorted(items)
    assert not any(isinstance(result, Failure) for _, result in answers)


def test_the_processes_of_a_killed_worker_die_with_it(cluster: DaskCluster, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    crew = Crew(scheduler=cluster.address)
    answers = stream(make_diary, (str(diary),), [["a"], ["b"], ["sleep"], ["sleep"]], crew=crew)
    next(answers)
    eventually(lambda: len(openers(diary)) == 2)
    before = openers(diary)
    cluster.kill(0)
    eventually(lambda: sum(alive(pid) for pid in before) == 1)
    answers.close()


def test_an_item_that_kills_whole_workers_fails_alone(cluster: DaskCluster) -> None:
    """Beyond what isolation can do: the item kills the Dask worker itself, as often as it is tried."""
    keeper = threading.Event()

    def keep_two() -> None:
        while not keeper.wait(0.1):
            for number, worker in enumerate(cluster.workers):
                if worker.poll() is not None:
                    cluster.workers[number] = cluster.add_worker()

    thread = threading.Thread(target=keep_two)
    thread.start()
    try:
        crew = Crew(limits=Limits(seconds=60.0), scheduler=cluster.address)
        batches = [["item1", "bad", "item2"], ["item3"]]
        results = dict(stream(make_squares, ("killer",), batches, crew=crew))
    finally:
        keeper.set()
        thread.join()
    assert results["bad"] == Failure("every worker of the cluster that tried it was lost")
    assert [results[f"item{number}"] for number in (1, 2, 3)] == [25, 25, 25]


def test_a_lost_scheduler_is_one_sentence(cluster: DaskCluster, tmp_path: Path) -> None:
    crew = Crew(scheduler=cluster.address)
    answers = stream(make_diary, (str(tmp_path / "diary"),), [["a"], *([["sleep"]] * 9)], crew=crew)
    next(answers)
    cluster.scheduler.kill()
    with pytest.raises(MissingDependency, match=r"the Dask scheduler tcp://.* was lost; start it"):
        list(answers)


def test_a_cluster_without_workers_is_one_sentence(tmp_path: Path) -> None:
    cluster = DaskCluster(tmp_path, workers=0)
    crew = Crew(limits=Limits(seconds=1.0), scheduler=cluster.address)
    try:
        with pytest.raises(
            MissingDependency, match="has no workers; start some with `dask worker`"
        ):
            list(stream(make_squares, ("none",), [GOOD], crew=crew))
    finally:
        cluster.stop()


def test_without_dask_the_missing_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("raise ModuleNotFoundError('distributed')")
    program = """
from cim_core.errors import MissingDependency
from cim_core.work import Crew, stream
from tests.support.tasks import make_squares
try:
    list(stream(make_squares, ("none",), [["a"]], crew=Crew(scheduler="tcp://127.0.0.1:1")))
except MissingDependency as error:
    print(error)
"""
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True,
    )  # fmt: skip
    assert 'pip install "cim-twin[cluster]"' in done.stdout, done.stderr
