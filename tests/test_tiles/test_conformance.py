"""Our tiles against the standards' own tools."""

import json
import subprocess
from pathlib import Path

import pytest

from cim_core.city import City
from server.viewer.build import search_path
from tests.support.serving import ROOT

VIEWER = ROOT / "server" / "viewer"


def node(*arguments: object, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", *map(str, arguments)], input=text, capture_output=True, text=True,
        env={"PATH": search_path()}, check=True,
    )  # fmt: skip


@pytest.mark.parametrize("which", ["real_city", "sample_city"])
def test_the_khronos_validator_finds_nothing_in_any_tile(
    which: str, request: pytest.FixtureRequest
) -> None:
    city: City = request.getfixturevalue(which)
    paths = sorted(str(path) for path in city.layers_folder.rglob("*.glb"))
    done = node(
        Path(__file__).parent / "validate.mjs", VIEWER / "package.json", text="\n".join(paths)
    )
    report = json.loads(done.stdout)
    assert report["checked"] == len(paths) > 0
    assert report["wrong"] == []
