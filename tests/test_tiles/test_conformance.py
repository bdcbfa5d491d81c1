"""Our tiles against the standards' own tools."""

import json
from pathlib import Path

import pytest

from cim_core.city import City
from tests.support.readback import VIEWER, decoded, node


@pytest.mark.parametrize("which", ["real_city", "sample_city"])
def test_the_khronos_validator_finds_nothing_in_any_tile_nor_in_its_decoded_copy(
    which: str, request: pytest.FixtureRequest
) -> None:
    city: City = request.getfixturevalue(which)
    tiles = sorted(city.layers_folder.rglob("*.glb"))
    paths = [str(path) for path in (*tiles, *decoded(tiles))]
    script = Path(__file__).parent / "validate.mjs"
    report = json.loads(node(script, VIEWER / "package.json", text="\n".join(paths)))
    assert report["checked"] == len(paths) > 0
    assert report["wrong"] == []
