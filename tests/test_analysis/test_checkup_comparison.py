"""Two runs held against each other, from their entries as they are stored."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.checkup.comparison import compare

TEXT = {"en": "Parks", "zh": "公园"}
PARKS = {"role": "parks", "layer": "parks", "where": {}, "columns": {}}
SOURCES = [PARKS]
SHARE = {"operator": "share", "part": {"input": "parks"}, "whole": {"input": "parks"}}


def entry(
    code: str = "10",
    value: float | None = 10.0,
    surveyed: float = 1.0,
    reason: str = "",
    **more: Any,
) -> dict[str, Any]:
    status = (
        "unavailable" if value is None else "ready" if (surveyed, reason) == (1, "") else "partial"
    )
    return {
        "code": code, "name": TEXT, "unit": {"en": "m²", "zh": "m²"}, "decimals": 2,
        "direction": "higher", "target": {"value": 12.0, "source": "a", "confidence": "recalled"},
        "formula": {"operator": "total", "what": {"input": "parks"}}, "method": "measured",
        "proxy": False, "sources": SOURCES, "rules": "a", "plane": "EPSG:4547",
        "value": {
            "value": value, "numerator": value, "denominator": 1.0, "surveyed": surveyed,
            "status": status, "reason": reason,
        },
        **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("direction", "old", "new", "better"),
    [
        ("higher", 10.0, 11.0, True), ("higher", 10.0, 9.0, False), ("lower", 10.0, 9.0, True),
        ("lower", 10.0, 11.0, False), ("none", 10.0, 11.0, None), ("higher", 10.0, 10.0, None),
        ("higher", None, 10.0, None), ("higher", 10.0, None, None),
    ],
)  # fmt: skip
def test_better_is_what_the_direction_says(
    direction: str, old: float | None, new: float | None, better: bool | None
) -> None:
    [change] = compare(
        [entry(value=old, direction=direction)], [entry(value=new, direction=direction)]
    )
    assert change.better is better
    assert change.change == (None if old is None or new is None else new - old)
    assert not change.method_changed and change.what is None


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"formula": {"operator": "total", "what": {"input": "activity-sites"}}}, "formula"),
        ({"method": "network"}, "how distance is measured"),
        ({"unit": {"en": "ha", "zh": "公顷"}}, "the unit"),
        ({"direction": "lower"}, "which values are better"),
        ({"target": {"value": 14.0, "source": "a", "confidence": "recalled"}}, "the target"),
        ({"target": None}, "the target"),
        ({"proxy": True}, "only stands for"),
        ({"sources": [{**PARKS, "layer": "green-spaces"}]}, "the layers, conditions or columns"),
        ({"sources": [{**PARKS, "where": {"kind": "park"}}]}, "the layers, conditions or columns"),
        ({"sources": [{**PARKS, "columns": {"area": "M2"}}]}, "the layers, conditions or columns"),
        ({"rules": "b"}, "the rules by which the program measures"),
        ({"plane": "EPSG:32649"}, "the plane"),
    ],
)
def test_values_made_in_different_ways_are_never_called_better(
    more: dict[str, Any], said: str
) -> None:
    [change] = compare([entry(value=10.0)], [entry(value=11.0, **more)])
    assert change.method_changed and change.better is None and change.change == 1.0
    assert change.what is not None and said in change.what["en"] and change.what["zh"]


def test_where_a_target_was_read_changes_no_value() -> None:
    target = {"value": 12.0, "source": "the decree", "confidence": "confirmed"}
    [change] = compare([entry(value=10.0)], [entry(value=11.0, target=target)])
    assert not change.method_changed and change.better is True


@pytest.mark.parametrize(
    ("formula", "old", "new", "better"),
    [
        # A tenth was looked at and two were found, then everything and fifteen.
        (None, (2.0, 0.1), (15.0, 1.0), None), (None, (15.0, 1.0), (2.0, 0.1), None),
        # Fewer were found although more was looked at, and more although less was.
        (None, (15.0, 0.1), (2.0, 0.9), True), (None, (2.0, 0.9), (15.0, 0.1), False),
        (None, (15.0, 0.9), (2.0, 0.905), True),
        # A share may be any of what is not known.
        (SHARE, (15.0, 0.1), (2.0, 0.9), None), (SHARE, (15.0, 0.9), (2.0, 0.905), True),
    ],
)  # fmt: skip
def test_what_was_surveyed_is_not_taken_for_what_was_done(
    formula: dict[str, Any] | None,
    old: tuple[float, float],
    new: tuple[float, float],
    better: bool | None,
) -> None:
    more = {"direction": "lower"} | ({} if formula is None else {"formula": formula})
    [change] = compare([entry("10", *old, **more)], [entry("10", *new, **more)])
    assert (change.better, change.method_changed) == (better, False)
    assert (change.what is None) == (better is not None)
    assert change.what is None or "how much of it is known" in change.what["en"]


def test_doubts_of_other_kinds_are_no_survey() -> None:
    """Of a year in which a station stood off the roads nobody knows what it would have served."""
    [change] = compare([entry(reason="sites-off-roads")], [entry(value=11.0)])
    assert change.better is None and change.what is not None
    same = {"reason": "sites-off-roads"}
    [change] = compare([entry(**same)], [entry(value=11.0, **same)])
    assert change.better is True


def test_what_only_one_run_has_is_told() -> None:
    new, kept, gone = compare([entry("10"), entry("11")], [entry("09", 3.0), entry("10", 12.0)])
    assert (new.code, kept.code, gone.code) == ("09", "10", "11")
    assert new.before is None and new.after is not None and new.what == {
        "en": "The indicator is new.", "zh": "本年新增指标。",
    }  # fmt: skip
    assert gone.after is None and not gone.method_changed and gone.change is None
    assert kept.document()["from"]["value"] == 10.0 and kept.document()["to"]["value"] == 12.0


@settings(deadline=None, max_examples=30)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.sampled_from(["higher", "lower", "none"]))
def test_there_and_back_is_the_opposite(old: float, new: float, direction: str) -> None:
    first, second = (entry(value=value, direction=direction) for value in (old, new))
    [there], [back] = compare([first], [second]), compare([second], [first])
    assert there.change == -back.change
    assert (there.better is None) == (back.better is None)
    if there.better is not None:
        assert there.better is not back.better
