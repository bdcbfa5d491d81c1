"""Map tiles over HTTP, of layers made from files as people have them."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import mapbox_vector_tile
import numpy as np
import pytest
from PIL import Image

from cim_core.city import City
from tests.conftest import import_file
from tests.support.serving import Server
from tiles.mercator import MapTile


@pytest.fixture(scope="module")
def map_city(data: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    city = City.open_or_create(tmp_path_factory.mktemp("map") / "city")
    import_file(city, data / "osm" / "test.osm.pbf")
    import_file(city, data / "land" / "bubenec.gpkg", options={"table": "buildings"})
    import_file(city, data / "buildings" / "zurich_subset_lod2.json")
    return city


@pytest.fixture(scope="module")
def web(map_city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    server = Server(map_city.folder, tmp_path_factory.mktemp("log") / "server.log")
    yield server.client
    server.stop()
    assert server.odd_lines() == []


def tiles_over(city: City, layer: str, z: int) -> list[MapTile]:
    """All tiles of a level in which a feature of the layer lies."""
    side = 2**z
    found = set()
    for row in city.features.all(layer, 1):
        if row.footprint is not None:
            lon, lat = row.footprint.representative_point().coords[0]
            down = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
            found.add(MapTile(z, int((lon + 180) / 360 * side), int(down * side)))
    return sorted(found, key=lambda tile: (tile.x, tile.y))


def get(
    web: httpx.Client, layer: str, tile: MapTile, ending: str, **more: object
) -> httpx.Response:
    return web.get(f"/tiles/{layer}/1/{tile.z}/{tile.x}/{tile.y}.{ending}", **more)


@pytest.mark.parametrize("layer", ["test-osm", "bubenec", "zurich_subset_lod2"])
def test_vector_tiles_hold_every_feature_of_a_layer(
    layer: str, web: httpx.Client, map_city: City
) -> None:
    found: dict[str, str] = {}
    for tile in tiles_over(map_city, layer, 16):
        answer = get(web, layer, tile, "mvt")
        if answer.status_code == 204:
            continue
        assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
        decoded = mapbox_vector_tile.decode(answer.content)[layer]
        found |= {f["properties"]["id"]: f["properties"]["class"] for f in decoded["features"]}
    known = {
        row.feature.id: row.feature.feature_class
        for row in map_city.features.all(layer, 1)
        if row.footprint is not None
    }
    assert found.items() <= known.items()
    missing = known.keys() - found.keys()
    # What is smaller than half a pixel, a metre here, is not drawn.
    assert len(missing) <= 0.02 * len(known)


def test_pictures_are_drawn_and_kept_for_ever(web: httpx.Client, map_city: City) -> None:
    covered = []
    for tile in tiles_over(map_city, "test-osm", 14):
        answer = get(web, "test-osm", tile, "png")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        picture = np.asarray(Image.open(io.BytesIO(answer.content)))
        assert picture.shape == (256, 256, 4)
        covered.append((picture[:, :, 3] > 0).mean())
    assert max(covered) > 0.05
    again = get(web, "test-osm", tile, "png", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert get(web, "test-osm", tile, "mvt").headers["etag"] != answer.headers["etag"]


def test_a_tile_beside_the_layer_is_empty(web: httpx.Client) -> None:
    assert get(web, "bubenec", MapTile(10, 0, 0), "mvt").status_code == 204
    picture = np.asarray(
        Image.open(io.BytesIO(get(web, "bubenec", MapTile(10, 0, 0), "png").content))
    )
    assert picture[:, :, 3].max() == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tiles/nothing/1/0/0/0.png", 404),
        ("/tiles/bubenec/9/0/0/0.png", 404),
        ("/tiles/bubenec/1/2/4/0.mvt", 404),
        ("/tiles/bubenec/1/40/0/0.mvt", 404),
        ("/tiles/bubenec/1/0/0/0.gif", 422),
        ("/tiles/bubenec/1/a/0/0.png", 422),
    ],
)
def test_what_is_not_there_is_a_problem_document(path: str, status: int, web: httpx.Client) -> None:
    answer = web.get(path)
    assert answer.status_code in (status, 400)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_file_of_buildings_goes_the_whole_way_and_is_explained_in_chinese(
    data: Path, city: City
) -> None:
    """Registry, tiles, the check of the tiles, publishing."""
    report = import_file(city, data / "buildings" / "delft_3dfier.city.json")
    assert report["features"] == 570
    assert report["tileset"] is not None
    assert report["warnings_zh"]
    assert None not in report["warnings_zh"]
