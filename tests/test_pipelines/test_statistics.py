"""Sums of pipes, against adding up one segment after the other."""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.network import Labels, Network, Nodes, Pieces, Profile, Segments
from cim_core.progress import Progress
from pipelines.statistics import (
    Shares,
    age_bands,
    ages,
    clear_volumes,
    grouped_sums,
    shares_by_area,
    size_bands,
)


def segments_of(**columns: object) -> Segments:
    size = len(next(iter(columns.values())))
    rows = np.arange(size)
    return replace(Segments.bare([f"S{row}" for row in rows], rows, rows), **columns)


def test_a_volume_is_that_of_the_clear_cross_section() -> None:
    segments = segments_of(
        profiles=np.array([Profile.CIRCLE, Profile.BOX, Profile.DUCTS, Profile.CIRCLE], np.int8),
        widths=np.array([0.3, 2.0, 0.5, np.nan]), heights=np.array([0.3, 1.5, 0.4, np.nan]),
        walls=np.array([0.01, 0.2, 0.0, 0.0]), lengths=np.array([100.0, 10.0, 50.0, 5.0]),
        ducts=np.array([[0, 0], [0, 0], [3, 2], [0, 0]], np.int16),
        duct_sizes=np.array([np.nan, np.nan, 0.11, np.nan]),
    )  # fmt: skip
    expected = [np.pi * 0.15**2 * 100, 30.0, 6 * np.pi * 0.055**2 * 50, np.nan]
    assert clear_volumes(segments).tolist() == pytest.approx(expected, nan_ok=True)
    assert clear_volumes(segments, np.array([2, 1])).tolist() == pytest.approx(expected[2:0:-1])


def test_ages_and_sizes_fall_into_bands_with_their_limits_on_the_right_side() -> None:
    segments = segments_of(
        years=np.array([2026, 2017, 2016, 1966, 0, 2030], np.int16),
        widths=np.array([0.1, 0.101, 0.3, 0.6, np.nan, 1.0]),
        heights=np.array([0.1, 0.101, 0.3, 1.3, np.nan, 0.2]),
    )  # fmt: skip
    years = ages(segments, 2026)
    assert years.tolist() == pytest.approx([0, 9, 10, 60, np.nan, np.nan], nan_ok=True)
    assert age_bands(years, [10, 50]).texts().tolist() == ["0–9", "0–9", "10–49", "50+", "", ""]
    bands = size_bands(segments, [100, 300, 1200]).texts().tolist()
    assert bands == ["≤100", "100–300", "100–300", ">1200", "", "300–1200"]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_groups_are_what_adding_up_makes_of_them(data: st.DataObject) -> None:
    count, size = data.draw(st.integers(1, 6)), data.draw(st.integers(0, 12))

    def each(values: st.SearchStrategy) -> list:
        return data.draw(st.lists(values, min_size=size, max_size=size))

    known = st.one_of(st.floats(0.1, 100), st.just(np.nan))
    lengths = np.array(data.draw(st.lists(known, min_size=count, max_size=count)))
    widths = np.array(data.draw(st.lists(known, min_size=count, max_size=count)))
    years = np.array(data.draw(st.lists(known, min_size=count, max_size=count)))
    segments = segments_of(lengths=lengths, widths=widths, heights=widths)
    rows = np.array(each(st.integers(0, count - 1)), np.int64)
    shares = np.array(each(st.floats(0, 1)), float)
    texts = [each(st.sampled_from(["", "甲", "乙"])) for _ in range(2)]
    groups = grouped_sums(
        segments, years, Shares(rows, rows, shares), [Labels.of(column) for column in texts]
    )
    sums: dict[tuple[str, ...], np.ndarray] = defaultdict(lambda: np.zeros(6))
    for row, share, *names in zip(rows.tolist(), shares.tolist(), *texts, strict=True):
        length = np.nan_to_num(lengths[row]) * share
        dated = not np.isnan(years[row])
        volume = np.pi * widths[row] ** 2 / 4 * lengths[row] * share
        sized = not np.isnan(volume)
        sums[tuple(names)] += [
            1, length, volume if sized else 0, years[row] * length if dated else 0,
            length * dated, length * (not sized),
        ]  # fmt: skip
    found = dict(zip(zip(*groups.names, strict=True), range(len(groups.counts)), strict=True))
    assert found.keys() == sums.keys()
    for names, row in found.items():
        segments_, length, volume, aged, dated, unsized = sums[names]
        assert groups.counts[row] == segments_
        assert groups.lengths[row] == pytest.approx(length)
        assert groups.volumes[row] == pytest.approx(volume)
        assert groups.unsized[row] == pytest.approx(unsized, abs=1e-9)
        assert groups.undated[row] == pytest.approx(length - dated, abs=1e-9)
        mean = aged / dated if dated > 0 else np.nan
        assert groups.ages[row] == pytest.approx(mean, nan_ok=True)


def pieces_of(lines: list[list[tuple[float, float]]]) -> Pieces:
    """The pieces of bent lines."""
    owners = [row for row, line in enumerate(lines) for _ in line[1:]]
    ends = [[(*a, 0.0), (*b, 0.0)] for line in lines for a, b in pairwise(line)]
    return Pieces(np.array(owners, np.int64), np.array(ends, float).reshape(-1, 2, 3))


def plane_lengths(pieces: Pieces) -> np.ndarray:
    return np.linalg.norm(np.diff(pieces.ends[:, :, :2], axis=1)[:, 0], axis=1)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_segment_is_shared_by_where_it_lies(data: st.DataObject) -> None:
    number = st.integers(-2, 12)
    line = st.lists(st.tuples(number, number), min_size=2, max_size=4)
    lines = data.draw(st.lists(line.filter(lambda points: len(set(points)) > 1), min_size=1, max_size=5))  # fmt: skip
    pieces = pieces_of(lines)
    areas = [shapely.box(0.5, 0.5, 5.5, 9.5), shapely.box(5.5, 0.5, 9.5, 9.5).buffer(0)]
    found = shares_by_area(pieces, plane_lengths(pieces), np.array(areas, object), Progress())
    table = np.zeros((len(lines), 3))
    np.add.at(table, (found.segments, found.areas), found.shares)
    assert len({*zip(found.segments.tolist(), found.areas.tolist(), strict=True)}) == len(found.shares)  # fmt: skip
    for row, points in enumerate(lines):
        # One piece after the other: a line that crosses itself is not one geometry twice.
        parts = [shapely.LineString(pair) for pair in pairwise(points)]
        whole = sum(part.length for part in parts)
        for number_, area in enumerate(areas):
            inside = sum(part.intersection(area).length for part in parts)
            assert table[row, number_] == pytest.approx(inside / whole, abs=1e-6)
        assert table[row].sum() == pytest.approx(1.0, abs=1e-6)


def test_what_lies_in_two_areas_is_shared_evenly_and_points_count_where_they_are() -> None:
    pieces = pieces_of([[(1, 1), (3, 1)], [(2, 2), (2, 2)], [(20, 20), (20, 20)]])
    areas = np.array([shapely.box(0, 0, 4, 4), shapely.box(0, 0, 4, 3)], object)
    found = shares_by_area(pieces, plane_lengths(pieces), areas, Progress())
    said = zip(found.segments.tolist(), found.areas.tolist(), found.shares.tolist(), strict=True)
    assert sorted(said) == [(0, 0, 0.5), (0, 1, 0.5), (1, 0, 0.5), (1, 1, 0.5), (2, -1, 1.0)]


def test_a_network_of_nothing_has_no_shares() -> None:
    network = Network(Nodes.bare([], np.empty((0, 2))), segments_of(lengths=np.empty(0)))
    areas = np.array([shapely.box(0, 0, 1, 1)], object)
    found = shares_by_area(network.pieces(), np.empty(0), areas, Progress())
    assert len(found.shares) == 0
