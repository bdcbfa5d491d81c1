"""Service lives: which entry a pipe goes by, and what a city may write."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cim_core.errors import InvalidInput
from cim_core.network import Labels, Segments
from pipelines.dictionary import pipe_class
from pipelines.service_lives import FILE_NAME, Life, due, life_of, service_lives


def life(years: int, classes: tuple[str, ...] = (), materials: tuple[str, ...] = ()) -> Life:
    return Life(classes, materials, years, "test", "own")


LIVES = (
    life(1), life(2, (), ("PE",)), life(3, ("JS",)), life(4, ("JP",)), life(5, ("JS",), ("PE",)),
    life(6, ("JP",), ("PE",)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "material", "years"),
    [("JP", "PE", 6), ("XS", "PE", 5), ("JP", "钢", 4), ("XS", "钢", 3), ("TR", "PE", 2), ("Pipe", "", 1)],
)  # fmt: skip
def test_the_closest_entry_counts_wherever_it_stands(code: str, material: str, years: int) -> None:
    for lives in (LIVES, LIVES[::-1]):
        assert lives[life_of(lives, code, material)].years == years


def test_of_two_that_fit_alike_the_first_counts_and_none_may_fit() -> None:
    assert life_of([life(30, ("RQ",)), life(20, ("RQ",))], "TR", "PE") == 0
    assert life_of([life(30, ("RQ",))], "JP", "PE") == -1


def test_what_is_due_is_as_old_as_its_life_and_not_abandoned() -> None:
    rows = np.arange(6)
    segments = replace(
        Segments.bare([f"S{row}" for row in rows], rows, rows),
        classes=Labels.of(["TR", "TR", "TR", "JP", None, "TR"]),
        materials=Labels.of(["PE", "PE", "铸铁", "PE", "PE", "PE"]),
        statuses=Labels.of(["在用", None, None, None, None, "废弃"]),
    )
    years = np.array([19.0, 20.0, np.nan, 70.0, 70.0, 70.0])
    lives = [life(20, ("RQ",)), life(0, ("RQ",), ("铸铁",)), life(50, ("JS",))]
    found = due(segments, years, lives)
    assert found.segments.tolist() == [3, 1, 2], "the longest overdue first, of unknown age last"
    assert found.lives.tolist() == [2, 0, 1]
    assert found.overdue.tolist() == pytest.approx([20, 0, np.nan], nan_ok=True)


def test_the_programs_own_table_speaks_of_classes_there_are_and_says_how_sure_it_is() -> None:
    lives = service_lives()
    assert all(pipe_class(code).system for entry in lives for code in entry.classes)
    assert {entry.confidence for entry in lives} <= {"recalled", "own"}
    assert all(entry.source for entry in lives)


def test_a_citys_entries_come_first_and_may_use_letters_for_materials(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(
        '[[life]]\nclasses = ["RQ"]\nmaterials = ["ZT"]\nyears = 5\nsource = "局令"\nconfidence = "read"\n',
        encoding="utf-8",
    )
    lives = service_lives(tmp_path)
    assert lives[life_of(lives, "TR", "铸铁")].source == "局令"
    assert len(lives) == len(service_lives()) + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[life]]\nyears = "x"\nsource = ""\nconfidence = "own"\n', "years as a whole number"),
        ('[[life]]\nyears = 5\nsource = ""\nconfidence = "sure"\n', "one of read, known"),
        ('[[life]]\nyears = 5\nsource = ""\nconfidence = "own"\nclasses = "RQ"\n', "as lists"),
        ("[life]\nyears = 5\n", r"below \[\[life\]\]"),
        ("[[life", "cannot be read"),
    ],
)
def test_a_wrong_entry_of_a_city_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=said):
        service_lives(tmp_path)
