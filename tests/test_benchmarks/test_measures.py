"""The benchmark of an intersection's measures measures what it says."""

from pathlib import Path

from benchmarks import measures, report, targets


def test_an_hour_at_an_intersection_is_measured_and_judged(data: Path) -> None:
    found = measures.measure(60_000, 1, data / "traffic_pasubio" / "oracle_tls233")
    assert found is not None
    assert (found["rows"], found["hertz"]) == (60_000, 10)
    parts = found["cpu_seconds"]
    assert 0 < parts["matching and passages"] < parts["all"]
    (verdict,) = targets.verdicts({"measures": found})
    assert verdict.met
    assert "60,000 positions" in report.page(
        {"measures": found, "date": "", "repeat": 1, "machine": {
            "processor": "", "cores": 1, "memory_gb": 1, "system": "", "python": "",
        }}
    )  # fmt: skip


def test_without_the_recording_there_is_nothing_to_measure(tmp_path: Path) -> None:
    assert measures.measure(folder=tmp_path / "none") is None
