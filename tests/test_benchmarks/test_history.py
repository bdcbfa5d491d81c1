"""The benchmark of history finds what its generated observations hold, and so does its peer."""

from pathlib import Path

import pytest

from benchmarks import history, targets
from benchmarks.report import page


def test_each_question_finds_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FOLDER", tmp_path)
    monkeypatch.setattr(history, "_REPEAT", 2)
    found = history.measure(120_000)
    assert found["observations"] == 120_000
    questions = found["questions"]
    assert all(one["found"] == one["peer_found"] > 0 for one in questions.values())
    assert questions["latest of all"]["found"] == 1000
    assert questions["series, 24 h"]["found"] == 120
    said = targets.verdicts({"history": found})
    assert [verdict.what.removesuffix(", ms") for verdict in said] == list(questions)
    machine = {"processor": "x", "cores": 1, "memory_gb": 1, "system": "x", "python": "3"}
    assert "## History" in page({"date": "", "machine": machine, "repeat": 1, "history": found})
    assert history.measure(120_000)["seconds"] == found["seconds"], "kept"
