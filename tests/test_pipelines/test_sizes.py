"""Sizes as surveyors write them: every spelling means the same, and nothing else is a size."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cim_core.network import Profile
from pipelines.sizes import laid_out, parse_size

millimetres = st.integers(25, 5000)
signs = st.sampled_from(["×", "x", "X", "*", "＊", " × ", "✕"])
rounds = st.sampled_from(["φ", "Φ", "DN", "dn", "D", "ø", "DN "])


@given(millimetres, st.sampled_from(["", "DN", "dn ", "D", "de", "φ", "Φ", "ø"]), st.booleans())
def test_a_diameter_is_the_same_however_it_is_written(size: int, mark: str, unit: bool) -> None:
    found = parse_size(f"{mark}{size}{'mm' if unit else ''}")
    assert found is not None
    assert (found.profile, found.columns) == (Profile.CIRCLE, 0)
    assert found.width == found.height == size / 1000


@given(millimetres, millimetres, signs)
def test_a_rectangle_is_width_by_height(width: int, height: int, by: str) -> None:
    found = parse_size(f"{width}{by}{height}")
    assert found is not None
    assert (found.profile, found.width, found.height) == (Profile.BOX, width / 1000, height / 1000)


@given(st.integers(1, 24), st.integers(1, 24), st.integers(25, 300), signs, rounds, st.booleans())
def test_a_block_of_ducts_is_columns_by_rows_of_one_size(
    columns: int, rows: int, duct: int, by: str, mark: str, holes: bool
) -> None:
    found = parse_size(f"{columns}{by}{rows}{'孔' if holes else ''}{mark}{duct}")
    assert found is not None
    assert (found.profile, found.columns, found.rows) == (Profile.DUCTS, columns, rows)
    assert found.duct == duct / 1000
    assert math.isnan(found.width)


@given(st.integers(1, 400))
def test_ducts_counted_together_all_have_a_place(count: int) -> None:
    columns, rows = laid_out(count)
    assert columns >= rows
    assert 0 <= columns * rows - count <= 1


@given(st.text(max_size=12))
def test_any_text_is_a_size_of_some_extent_or_none(text: str) -> None:
    found = parse_size(text)
    if found is not None and found.profile != Profile.DUCTS:
        assert 0 < found.width <= 50
        assert 0 < found.height <= 50


@pytest.mark.parametrize(
    ("text", "width", "height"),
    [
        ("0.3m", 0.3, 0.3),
        ("0.3", 0.3, 0.3),
        ("1.0", 1.0, 1.0),
        ("12.5", 0.0125, 0.0125),
        ("DN12.5", 0.0125, 0.0125),
        ("6.5mm", 0.0065, 0.0065),
        ("φ6.5", 0.0065, 0.0065),
        ("1.2M", 1.2, 1.2),
        ("2.0×1.5", 2.0, 1.5),
        ("2m×1.5m", 2.0, 1.5),
        ("400×600mm", 0.4, 0.6),
        ("φ219×6", 0.207, 0.207),
    ],
)
def test_metres_and_walls_are_understood(text: str, width: float, height: float) -> None:
    found = parse_size(text)
    assert found is not None
    assert (found.width, found.height) == pytest.approx((width, height))


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "DN", "-300", "不详", "300/200", "φ", "3×240", "DN300-DN400", "99999999", "3", "φ0.3",
        "4.9mm", "0.004", "φ10×4",
    ],
)  # fmt: skip
def test_what_is_no_size_is_none(text: str) -> None:
    assert parse_size(text) is None
