"""A new version writes only the tiles that changed, and the same bytes as from nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cim_core.layer import Features, Layer
from cim_core.progress import Progress
from cim_core.store.layer_summary import TilesetSummary
from tests.support.models import town
from tests.support.readback import tiles
from tiles import Budget, build_tileset

BUDGET = Budget(features=60)


def build(layer: Layer, folder: Path, version: int, before: int | None) -> TilesetSummary:
    (folder / "content").mkdir(parents=True, exist_ok=True)
    (folder / str(version)).mkdir()
    earlier = folder / str(before) / "tileset.json" if before else None
    tileset = folder / str(version) / "tileset.json"
    return build_tileset(layer, folder / "content", tileset, Progress(), BUDGET, before=earlier)


def changed(layer: Layer, number: int, how: str) -> Layer:
    features = list(layer.content.features)
    feature = features[number]
    if how == "moved":
        [instance] = feature.instances
        matrix = instance.transform.copy()
        matrix[2, 3] += 0.01
        features[number] = replace(feature, instances=(replace(instance, transform=matrix),))
    elif how == "renamed":
        features[number] = replace(feature, name="another name")
    else:
        del features[number]
    return replace(layer, content=Features(tuple(features), layer.content.meshes))


@pytest.mark.parametrize("how", ["moved", "renamed", "removed"])
def test_only_the_tiles_above_a_changed_element_are_made_again(how: str, tmp_path: Path) -> None:
    layer = town(1200, blocks=4, kinds=40)
    first = build(layer, tmp_path / "a", 1, None)
    after = changed(layer, 700, how)
    second = build(after, tmp_path / "a", 2, before=1)
    alone = build(after, tmp_path / "b", 1, None)
    here, there = (tmp_path / "a" / "2" / "tileset.json", tmp_path / "b" / "1" / "tileset.json")
    assert here.read_bytes() == there.read_bytes()
    for tile in tiles(here):
        assert tile.path.read_bytes() == (tmp_path / "b" / "content" / tile.path.name).read_bytes()
    old = {tile.path.name for tile in tiles(tmp_path / "a" / "1" / "tileset.json")}
    new = {tile.path.name for tile in tiles(here)}
    assert first["reused_tiles"] == alone["reused_tiles"] == 0
    # One leaf, and the far tiles above it, some of which may come out the same again.
    assert second["tiles"] - 8 <= second["reused_tiles"] <= second["tiles"] - len(new - old)
    assert 1 <= len(new - old) <= (1 if how == "renamed" else 8) < second["tiles"] / 2


def test_a_tile_whose_content_was_lost_is_made_again(tmp_path: Path) -> None:
    layer = town(600, blocks=2, kinds=40)
    build(layer, tmp_path, 1, None)
    lost = next(tiles(tmp_path / "1" / "tileset.json")).path
    data = lost.read_bytes()
    lost.unlink()
    summary = build(layer, tmp_path, 2, before=1)
    assert summary["reused_tiles"] == summary["tiles"] - 1
    assert lost.read_bytes() == data


def test_the_sum_of_bytes_is_that_of_the_files(tmp_path: Path) -> None:
    summary = build(town(600, blocks=2, kinds=40), tmp_path, 1, None)
    every = {tile.path for tile in tiles(tmp_path / "1" / "tileset.json")}
    tileset = (tmp_path / "1" / "tileset.json").stat().st_size
    assert summary["bytes"] == sum(path.stat().st_size for path in every) + tileset
    leaves = [tile.path for tile in tiles(tmp_path / "1" / "tileset.json") if tile.leaf]
    packed = [path.with_name(f"{path.name}.gz") for path in leaves]
    assert summary["leaf_bytes"] == np.sum([p.stat().st_size for p in packed])
