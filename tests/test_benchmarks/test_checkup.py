"""The benchmark of the check-up measures what it says."""

from pathlib import Path

from benchmarks import checkup, report, targets


def test_a_small_city_is_examined_and_judged(tmp_path: Path) -> None:
    found = checkup.measure(400, tmp_path, ["mohurd-2025"])
    assert (found["buildings"], found["communities"]) == (400, 4)
    for one in found["sets"]:
        # No layer of it has a third dimension, so one indicator has no value.
        assert one["available"] >= one["indicators"] - 1
        assert 0 < one["known_seconds"] < one["cpu_seconds"]
    assert found["peer"]["units"] == 5
    assert found["peer"]["differ"] < 1e-6
    verdicts = list(targets.verdicts({"checkup": found}))
    assert [v.met for v in verdicts[:-1]] == [True]
    assert "400 buildings" in report.page(
        {"checkup": found, "date": "", "repeat": 1, "machine": {
            "processor": "", "cores": 1, "memory_gb": 1, "system": "", "python": "",
        }}
    )  # fmt: skip
