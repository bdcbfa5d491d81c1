"""Logs of signal controllers against what another program made of the same log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.traffic.controller import (
    Detector,
    Use,
    actuations,
    arrivals,
    split_failures,
    terminations,
    yellow_red,
)
from cim_core.network import Labels
from cim_core.traffic.moving import ControllerEvents

BIN = 900_000
USES: dict[str, Use] = {
    "Presence": "presence", "Advance": "advance", "Yellow_Red": "yellow-red", "stop bar count": "count",
}  # fmt: skip


def log(*rows: tuple[float, int, int]) -> ControllerEvents:
    """Events of one device: seconds, code and parameter."""
    at, codes, parameters = (np.array(column) for column in zip(*rows, strict=True))
    return ControllerEvents(
        np.round(at * 1000).astype(np.int64), Labels(("a",), np.zeros(len(at), np.int32)),
        codes.astype(np.int16), parameters.astype(np.int32),
    )  # fmt: skip


@pytest.fixture(scope="module")
def events(data: Path) -> ControllerEvents:
    """Two hours of an intersection in Oregon."""
    frame = pd.read_parquet(data / "atspm" / "sample_raw_data.parquet")
    devices, names = pd.factorize(frame["DeviceId"].astype(str))
    return ControllerEvents(
        frame["TimeStamp"].astype("datetime64[ms]").astype("int64").to_numpy(),
        Labels(tuple(names), devices.astype(np.int32)),
        frame["EventId"].to_numpy(np.int16), frame["Parameter"].to_numpy(np.int32),
    )  # fmt: skip


@pytest.fixture(scope="module")
def detectors(data: Path) -> list[Detector]:
    """Which detector is for what."""
    frame = pd.read_parquet(data / "atspm" / "sample_config.parquet")
    return [
        Detector(str(row.DeviceId), int(row.Parameter), int(row.Phase), USES[row.Function])
        for row in frame.itertuples()
    ]


def published(data: Path, name: str) -> list[tuple]:
    """The rows the other program wrote, in order, times as milliseconds."""
    frame = pd.read_csv(data / "atspm" / "oracle" / f"shared_{name}.csv", parse_dates=["TimeStamp"])
    frame["TimeStamp"] = frame["TimeStamp"].astype("datetime64[ms]").astype("int64")
    frame["DeviceId"] = frame["DeviceId"].astype(str)
    return sorted(frame.itertuples(index=False, name=None))


def test_actuations_and_terminations_are_those_published(
    data: Path, events: ControllerEvents
) -> None:
    assert actuations(events, BIN) == published(data, "actuations")
    words = {"GapOut": "gap-out", "MaxOut": "max-out", "ForceOff": "force-off"}
    told = [(*row[:3], words[row[3]], row[4]) for row in published(data, "terminations")]
    assert terminations(events, BIN) == sorted(told)


def test_arrivals_on_green_are_those_published(
    data: Path, events: ControllerEvents, detectors: list[Detector]
) -> None:
    told = published(data, "arrival_on_green")
    found = arrivals(events, detectors, BIN)
    assert [row[:4] for row in found] == [row[:4] for row in told]
    assert [row[4] for row in found] == pytest.approx([row[4] for row in told], abs=1e-6)


def test_split_failures_are_those_published(
    data: Path, events: ControllerEvents, detectors: list[Detector]
) -> None:
    told = published(data, "split_failures")
    found = split_failures(events, detectors, BIN)
    assert [(*row[:3], row[6]) for row in found] == [(*row[:3], row[6]) for row in told]
    for column in (3, 4, 5):
        assert [row[column] for row in found] == pytest.approx(
            [row[column] for row in told], abs=1e-5
        )


def test_passages_on_yellow_and_red_are_those_published(
    data: Path, events: ControllerEvents, detectors: list[Detector]
) -> None:
    assert yellow_red(events, detectors, BIN) == published(data, "yellow_red")


def test_what_the_log_left_out_is_made_up_half_way() -> None:
    # Green 0 to 20, red from 23. The detector goes on at 2 and again at 12: off at 7 in between; it
    # goes off at 14 and 18: on at 16 in between.
    rows = [(0.0, 1, 2), (20.0, 8, 2), (23.0, 10, 2), (60.0, 1, 2)]
    seen = [(-1.0, 82, 5), (-0.5, 81, 5), (2.0, 82, 5), (12.0, 82, 5), (14.0, 81, 5), (18.0, 81, 5), (24.0, 82, 5), (25.0, 81, 5)]  # fmt: skip
    (found,) = split_failures(log(*rows, *seen), [Detector("a", 5, 2, "presence")], BIN)
    assert found.green == 20.0
    assert found.green_share == pytest.approx((5 + 2 + 2) / 20)
    assert found.red_share == pytest.approx(1 / 5)
    assert found.failures == 0


def test_a_green_used_up_with_somebody_left_at_red_is_a_failure() -> None:
    rows = [(0.0, 82, 5), (1.0, 1, 2), (11.0, 8, 2), (14.0, 10, 2), (18.5, 81, 5), (40.0, 1, 2)]
    (found,) = split_failures(log(*rows), [Detector("a", 5, 2, "presence")], BIN)
    assert (found.green_share, found.red_share, found.failures) == (1.0, 0.9, 1)


def test_nothing_comes_of_nothing() -> None:
    none = log((0.0, 1, 2))
    pair = [Detector("a", 5, 2, use) for use in USES.values()]
    assert actuations(none, BIN) == terminations(none, BIN) == arrivals(none, pair, BIN) == []
    assert split_failures(none, pair, BIN) == yellow_red(none, pair, BIN) == []
    assert arrivals(none, [Detector("elsewhere", 5, 2, "advance")], BIN) == []
