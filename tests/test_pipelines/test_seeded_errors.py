"""The sample district's surveys: every error of the answer key is found, and nothing else."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pyproj
import pytest

from cim_core.checkin import Finding
from tests.support.survey_faults import imported

NETWORKS = ("gas", "power", "sewage", "storm", "telecom", "water")
ZONE = "EPSG:4547"
"""Zone 38 of three degrees, CGCS2000; some tables write its number before their eastings."""


@pytest.fixture(scope="module")
def key(district: Path) -> list[dict[str, str]]:
    with (district / "survey-with-errors/answer-key.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def found(district: Path) -> dict[str, tuple[Finding, ...]]:
    folder = district / "survey-with-errors"
    return {name: imported(folder / name).findings for name in NETWORKS}


@pytest.mark.parametrize("network", NETWORKS)
def test_the_clean_set_has_no_false_alarm(network: str, district: Path) -> None:
    layer = imported(district / f"survey-{network}")
    assert layer.findings == ()
    assert layer.dropped == ()


def test_all_seeded_errors_are_found_at_their_places(
    key: list[dict[str, str]], found: dict[str, tuple[Finding, ...]]
) -> None:
    assert len(key) >= 40
    missed = [
        error for error in key if not any(is_of(finding, error) for finding in of(error, found))
    ]
    assert missed == []


def test_nothing_is_found_but_the_seeded_errors_and_what_follows_from_them(
    key: list[dict[str, str]], found: dict[str, tuple[Finding, ...]]
) -> None:
    expected = [rule for error in key for rule in (error["rule"], *error["also"].split())]
    assert sorted(finding.rule for finding in everything(found)) == sorted(expected)


def of(error: dict[str, str], found: dict[str, tuple[Finding, ...]]) -> tuple[Finding, ...]:
    return found[error["file"].split("/")[0]]


def everything(found: dict[str, tuple[Finding, ...]]) -> Iterator[Finding]:
    for findings in found.values():
        yield from findings


def is_of(finding: Finding, error: dict[str, str]) -> bool:
    """Whether a finding is the one of an error: its rule, its row, and near where it was made."""
    where = (error["rule"], error["file"].split("/")[1], int(error["line"]))
    return (finding.rule, finding.table, finding.line) == where and is_near(finding, error)


def is_near(finding: Finding, error: dict[str, str]) -> bool:
    if not error["northing"]:
        return finding.place is None
    assert finding.place is not None
    from_earth = pyproj.Transformer.from_crs("EPSG:4490", ZONE, always_xy=True)
    east, north = from_earth.transform(*finding.place[:2])
    away = abs(north - float(error["northing"])), abs(east - float(error["easting"]) % 1e6)
    # The key says one end of a line, and a finding on all of it is in its middle.
    return max(away) < 75.0
