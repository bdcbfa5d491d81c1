"""The benchmark of clearances checks a city whose lines lie where they are said to."""

import numpy as np

from benchmarks import clearance, report, targets


def test_a_city_of_streets_is_checked_whole() -> None:
    network = clearance.streets(3000)
    assert len(network.segments) == network.segments.ends.max() + 1 - 2 * 8 * 5
    lengths = np.linalg.norm(
        np.diff(network.pieces().flat(clearance._MIDDLE), axis=1)[:, 0], axis=1
    )
    assert abs(lengths - 30).max() < 0.2
    found = clearance.checked(3000)
    assert found["segments"] == len(network.segments)
    # Five streets each way cross in 25 places, where every line crosses every other.
    assert 25 * 8 <= found["findings"] <= found["compared"]
    record = {
        "segments": 1, "nodes": 1, "valves": 0, "load_seconds": 0.1, "memory": 1, "questions": {},
        "clearance": {**found, "memory": 1},
    }  # fmt: skip
    [verdict] = [v for v in targets.verdicts({"networks": record}) if "clearance" in v.what]
    assert verdict.met
    assert f"{found['findings']:,} too near" in " ".join(report._networks(record))
