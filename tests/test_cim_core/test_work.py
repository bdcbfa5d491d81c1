"""Workers that crash, hang, eat memory: the item fails, alone."""

import pytest

from cim_core.work import Failure, Limits, stream
from tests.support.tasks import make_nothing, make_printer, make_squares

GOOD = [f"item{number}" for number in range(20)]


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        ("crash", "crashed"),
        ("sleep", "took more than"),
        ("memory", "ended the geometry worker"),
        ("exit", "exit code 3"),
        ("silence", "made nothing"),
    ],
)
def test_a_poisonous_item_fails_alone(poison: str, reason: str) -> None:
    limits = Limits(seconds=3.0, memory=400 << 20)
    batches = [[*GOOD[:7], "bad1", *GOOD[7:12]], [*GOOD[12:], "bad2"]]
    answers = list(stream(make_squares, (poison,), batches, workers=2, limits=limits))
    assert sorted(item for item, _ in answers) == sorted([*GOOD, "bad1", "bad2"])
    results = dict(answers)
    assert all(results[item] == len(item) ** 2 for item in GOOD)
    for item in ("bad1", "bad2"):
        assert isinstance(results[item], Failure)
        assert reason in results[item].reason


def test_every_item_is_answered_once_whatever_the_number_of_workers() -> None:
    for workers in (1, 2, 3):
        answers = list(stream(make_squares, ("none",), [[i] for i in GOOD], workers=workers))
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
