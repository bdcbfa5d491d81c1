"""Two runs held against each other, from their entries as they are stored."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.checkup.comparison import compare

TEXT = {"en": "Parks", "zh": "公园"}


def entry(code: str = "10", value: float | None = 10.0, **more: Any) -> dict[str, Any]:
    return {
        "code": code, "name": TEXT, "unit": {"en": "m²", "zh": "m²"}, "decimals": 2,
        "direction": "higher", "target": {"value": 12.0, "source": "a", "confidence": "recalled"},
        "formula": {"operator": "total", "what": {"input": "parks"}}, "method": "measured",
        "proxy": False, "value": {"value": value, "numerator": value, "denominator": 1.0}, **more,
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
