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


@pytest.mark.parametrize("layer", ["community_centre", "office"])
def test_the_3d_tiles_tools_accept_the_whole_tileset(
    layer: str, sample_city: City, tmp_path: Path
) -> None:
    """Merging resolves and rewrites every tile: it fails on a tileset it does not understand."""
    tileset = sample_city.layers_folder / layer / "1" / "tileset.json"
    done = subprocess.run(
        [
            "node", VIEWER / "node_modules/3d-tiles-tools/dist/src/cli/main.js", "analyze",
            "-i", next((sample_city.layers_folder / layer / "content").glob("*.glb")), "-o", tmp_path,
        ],
        capture_output=True, text=True, env={"PATH": search_path()}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    assert tileset.is_file()
    written = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    assert any("propertyTables" in json.dumps(document) for document in written)
