"""The benchmark of networks finds what its generated city holds."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import network_questions, networks, targets
from cim_core.network import NodeKind


def test_the_generated_city_has_streets_of_pipes_with_valves_works_and_outfalls() -> None:
    network = networks.grid(300)
    segments, nodes = network.segments, network.nodes
    assert 300 <= len(segments) < 400
    water = segments.classes.are("JP")
    assert water.sum() == 2 * (~water).sum()
    assert (nodes.kinds == NodeKind.SOURCE).sum() == 1
    assert (nodes.kinds == NodeKind.OUTFALL).sum() ** 2 * 2 == len(nodes)
    at = network.valves
    beside = (segments.starts[at.segments] == at.nodes) | (segments.ends[at.segments] == at.nodes)
    assert beside.all()
    assert 0.3 < len(at) / (2 * water.sum()) < 0.7
    assert np.isfinite(segments.axes).all()


def test_every_question_is_answered_and_held_against_its_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    found = network_questions.measure(networks.generated_city(300))
    assert found["segments"] >= 300
    side = int(np.sqrt(found["nodes"] / 2))
    connected = found["questions"]["trace of all that is connected"]
    assert connected["found"] == 2 * side * (side - 1)
    assert 1 <= found["questions"]["trace upstream"]["found"] < side
    verdicts = targets.verdicts({"networks": {**found, "memory": 1}})
    assert len(verdicts) == 2 + len(network_questions.QUESTIONS)


def test_the_real_network_is_asked_as_its_peers_are(data: Path) -> None:
    model = data / "water" / f"{networks.MODEL}.inp"
    network = networks.real_network(model, data / "water" / "oracle" / f"{networks.VALVES}.csv")
    found = {name: ask() for name, ask in networks._questions(network).items()}
    assert list(found.values()) == [460, 1, 964, 368, 318]
