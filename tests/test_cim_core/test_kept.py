"""Answers that are kept."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from cim_core.kept import kept


def test_two_who_ask_at_once_get_one_answer_made_once() -> None:
    begun, go, made = Event(), Event(), []

    @kept(2)
    def slow(key: str) -> object:
        made.append(key)
        if key == "slow":
            begun.set()
            assert go.wait(10)
        return object()

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(slow, "slow")
        assert begun.wait(10)
        second = threads.submit(slow, "slow")
        slow("other")  # waits for nobody
        go.set()
        assert first.result() is second.result()
    assert made == ["slow", "other"]


def test_the_last_ones_asked_for_are_kept() -> None:
    made = []

    @kept(2)
    def same(key: str, *, more: int = 0) -> str:
        made.append((key, more))
        return key

    for key in "abacab":
        same(key)
    same("b", more=1)
    assert made == [("a", 0), ("b", 0), ("c", 0), ("b", 0), ("b", 1)]


def test_an_error_is_not_kept() -> None:
    answers = [1]

    @kept(1)
    def last() -> int:
        return answers.pop()

    assert last() == last() == 1
    answers.clear()

    @kept(1)
    def failing() -> int:
        return answers.pop()

    with pytest.raises(IndexError):
        failing()
    answers.append(2)
    assert failing() == 2
