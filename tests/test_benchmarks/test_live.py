"""The benchmark of live values, with a few clients and for a moment."""

import pytest

from benchmarks import live, report, targets


def test_clients_are_counted_and_what_they_cost_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("CLIENTS", 3), ("OBJECTS", 20), ("_WARM_SECONDS", 0.2), ("_SECONDS", 0.6), ("WAYS", ("live",)),
    ):  # fmt: skip
        monkeypatch.setattr(live, name, value)
    found = live.measure()
    told = found["ways"]["live"]
    assert told["frames"] > 0 and told["p50_ms"] <= told["p99_ms"]
    assert told["bytes_per_frame"] == 24 + 16 * 20
    found["ways"]["live"] |= {"cpu_share": 0.1, "cpu_us_per_frame": 30.0, "p99_ms": 50.0}
    for way in ("json", "orjson"):
        found["ways"][way] = {**found["ways"]["live"], "cpu_us_per_frame": 100.0, "p99_ms": 500.0}
    judged = {one.what: one.met for one in targets.verdicts({"live": found})}
    assert list(judged.values()) == [True, False, True, True]
    assert "send_json" in report._live(found)[0]
