"""Workers that crash, hang, eat memory: the item fails, alone."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cim_core.errors import Cancelled
from cim_core.processes import Opener, work_off
from cim_core.progress import Progress
from cim_core.work import Crew, Failure, Limits, stream
from tests.support.tasks import make_diary, make_nothing, make_printer, make_squares

GOOD = [f"item{number}" for number in range(20)]


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        ("crash", "crashed"),
        ("killed", "signal 9"),
        ("sleep", "took more than"),
        ("memory", "ended the geometry worker"),
        ("exit", "exit code 3"),
        ("silence", "made nothing"),
    ],
)
def test_a_poisonous_item_fails_alone(poison: str, reason: str) -> None:
    crew = Crew(2, Limits(seconds=3.0, memory=400 << 20))
    batches = [[*GOOD[:7], "bad1", *GOOD[7:12]], [*GOOD[12:], "bad2"]]
    answers = list(stream(make_squares, (poison,), batches, crew=crew))
    assert sorted(item for item, _ in answers) == sorted([*GOOD, "bad1", "bad2"])
    results = dict(answers)
    assert all(results[item] == len(item) ** 2 for item in GOOD)
    for item in ("bad1", "bad2"):
        assert isinstance(results[item], Failure)
        assert reason in results[item].reason


def test_every_item_is_answered_once_whatever_the_number_of_workers() -> None:
    for workers in (1, 2, 3):
        answers = list(stream(make_squares, ("none",), [[i] for i in GOOD], crew=Crew(workers)))
        assert sorted(answers) == sorted((item, len(item) ** 2) for item in GOOD)


def test_no_items_need_no_workers() -> None:
    assert list(stream(make_squares, ("none",), [])) == []


def test_what_workers_print_does_not_reach_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    assert len(list(stream(make_printer, (), [["a", "b"]]))) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "debug text" in printed.err


def test_a_task_that_cannot_be_made_says_why() -> None:
    with pytest.raises(ValueError, match="cannot be made"):
        list(stream(make_nothing, (), [["a"]]))


def test_what_the_work_needs_is_opened_once_and_shared(tmp_path: Path) -> None:
    crew = Crew(3)
    batches = [[str(number)] for number in range(12)]
    answers = dict(stream(make_diary, (str(tmp_path / "diary"),), batches, crew=crew))
    assert len((tmp_path / "diary").read_text().splitlines()) == 1
    assert len({pid for pid, _ in answers.values()}) in (2, 3)
    assert len({parent for _, parent in answers.values()}) == 1


def test_a_crash_does_not_open_again_what_the_work_needs(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    answers = dict(stream(make_diary, (str(diary),), [["a", "crash", "b"]], crew=Crew(1)))
    assert isinstance(answers["crash"], Failure)
    assert not isinstance(answers["b"], Failure)
    assert len(diary.read_text().splitlines()) == 1


@pytest.mark.parametrize("victim", ["worker", "opener"])
def test_a_process_killed_from_outside_costs_no_item(tmp_path: Path, victim: str) -> None:
    diary = tmp_path / "diary"
    items = [f"wait{number}" for number in range(8)]
    answers = {}
    for item, (pid, parent) in stream(make_diary, (str(diary),), [items], crew=Crew(1)):
        if not answers:
            os.kill(pid if victim == "worker" else parent, signal.SIGKILL)
        answers[item] = (pid, parent)
    assert sorted(answers) == items
    assert len(set(answers.values())) > 1
    assert len(diary.read_text().splitlines()) == (1 if victim == "worker" else 2)


def test_what_is_lost_again_and_again_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="was lost 3 times"):
        for _item, (_pid, parent) in stream(
            make_diary, (str(tmp_path / "diary"),), [[f"wait{n}" for n in range(50)]], crew=Crew(1)
        ):
            os.kill(parent, signal.SIGKILL)


def _gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def _eventually(true: Callable[[], bool]) -> None:
    last = time.monotonic() + 20
    while not true():
        assert time.monotonic() < last
        time.sleep(0.02)


def test_closing_the_iterator_ends_every_process(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    before = set(_children(os.getpid()))
    answers = stream(make_diary, (str(diary),), [["a", "sleep"], ["b", "sleep"]], crew=Crew(2))
    pids = {pid for _, (pid, _) in (next(answers), next(answers))}
    assert len(pids) == 2
    answers.close()
    assert _gone([*pids, int(diary.read_text())])
    assert set(_children(os.getpid())) == before


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_processes_die_with_the_one_that_ordered_the_work(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    order = f"list(stream(make_diary, ({str(diary)!r},), [['a', 'sleep']]))"
    program = f"from tests.test_cim_core.test_work import *; {order}"
    ordering = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[2])
    _eventually(lambda: diary.is_file() and diary.read_text() != "")
    opener = int(diary.read_text())
    _eventually(lambda: bool(_children(opener)))
    pids = [opener, *_children(opener)]
    ordering.kill()
    ordering.wait()
    _eventually(lambda: all(_dead(pid) for pid in pids))


def _dead(pid: int) -> bool:
    """Gone, or a zombie that nobody here can wait for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_cancelling_does_not_wait_for_a_slow_item(tmp_path: Path) -> None:
    unwanted = threading.Event()
    answers = stream(
        make_diary, (str(tmp_path / "diary"),), [["a", "sleep"]],
        crew=Crew(1), progress=Progress(cancelled=unwanted.is_set),
    )  # fmt: skip
    assert next(answers)[0] == "a"
    unwanted.set()
    with pytest.raises(Cancelled):
        next(answers)


def test_threads_share_one_opener(tmp_path: Path) -> None:
    opener = Opener(make_diary, (str(tmp_path / "diary"),), Limits())
    answers: list[dict[str, tuple[int, int]]] = [{}, {}]

    def work(number: int) -> None:
        items = [f"{number}-{item}" for item in range(5)]
        answers[number] = dict(work_off(opener, [items], 1, lambda: None))

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    opener.close()
    assert len({parent for answer in answers for _, parent in answer.values()}) == 1
    assert [len(answer) for answer in answers] == [5, 5]


def test_one_who_is_slow_to_take_answers_blames_nobody(tmp_path: Path) -> None:
    crew = Crew(2, Limits(seconds=1.0))
    batches = [[f"a{number}" for number in range(5)], [f"b{number}" for number in range(5)]]
    answers = {}
    for item, result in stream(make_diary, (str(tmp_path / "diary"),), batches, crew=crew):
        answers[item] = result
        if len(answers) == 1:
            time.sleep(1.5)
    assert len(answers) == 10
    assert not any(isinstance(result, Failure) for result in answers.values())
