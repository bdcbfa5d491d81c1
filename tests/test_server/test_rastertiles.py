"""Terrain and imagery from the upload to the tile, as browsers and desktop GIS see them."""

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pyproj
import pytest
from rasterio.io import MemoryFile

from cim_core.city import City
from tests.conftest import import_file
from tests.support.quantized_mesh import decode
from tests.support.rasters import EAST, NORTH, hills, write_raster
from tests.support.readback import VIEWER, node
from tests.support.serving import Server

SLOPE = 0.2
"""Of the eastern half of the terrain: metres up for each metre east."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("rasters")
    city = City.open_or_create(folder / "city")
    heights = np.full((120, 240), 20, "f4")
    heights[:, 120:] += np.arange(120) * 5 * SLOPE
    import_file(city, write_raster(folder / "ground.tif", heights))
    photo = np.zeros((3, 240, 240), "u1")
    photo[0], photo[1, :, 120:], photo[2, 120:] = 200, 180, 160
    import_file(city, write_raster(folder / "photo.tif", photo, pixel=2.5))
    running = Server(city.folder, folder / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


@pytest.fixture
def web(served: Server) -> httpx.Client:
    return served.client


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int, int]:
    """x, y of the map tile and column, row of its pixel, by the textbook."""
    n = 2**z * 256
    x = (lon + 180) / 360 * n
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return int(x // 256), int(y // 256), int(x % 256), int(y % 256)


def geographic(east: float, north: float) -> tuple[float, float]:
    to = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4326", always_xy=True)
    return to.transform(east, north)


def picture(data: bytes) -> np.ndarray:
    with MemoryFile(data) as memory, memory.open() as image:
        return image.read()


def pixel(web: httpx.Client, path: str, east: float, north: float, z: int = 17) -> list[int]:
    x, y, column, row = tile_at(*geographic(east, north), z)
    answer = web.get(f"/tiles/{path}/{z}/{x}/{y}.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    bands = picture(answer.content)
    assert bands.shape[1:] == (256, 256)
    return bands[:, row, column].astype(int).tolist()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
class TestMapTiles:
    def test_a_photo_lies_where_it_was_taken(self, web: httpx.Client) -> None:
        for east, south, colour in (
            (150, 150, [200, 0, 0]), (450, 150, [200, 180, 0]),
            (150, 450, [200, 0, 160]), (450, 450, [200, 180, 160]),
        ):  # fmt: skip
            found = pixel(web, "photo/1", EAST + east, NORTH - south)
            assert found[3] == 255
            assert np.abs(np.array(found[:3]) - colour).max() <= 6
        assert pixel(web, "photo/1", EAST - 100, NORTH - 100)[3] == 0

    def test_level_ground_and_a_slope_have_their_shades(self, web: httpx.Client) -> None:
        flat = pixel(web, "ground/1/hillshade", EAST + 300, NORTH - 300)
        assert flat[0] == pytest.approx(255 * math.sin(math.radians(45)), abs=2)
        # The light comes from the north-west, so what rises to the east turns towards it.
        lit = pixel(web, "ground/1/hillshade", EAST + 900, NORTH - 300)
        normal = np.array([-SLOPE, 0, 1]) / math.hypot(SLOPE, 1)
        sun = np.array([-0.5, 0.5, math.sqrt(0.5)])
        assert lit[0] == pytest.approx(255 * normal @ sun, abs=4)
        assert pixel(web, "ground/1", EAST + 900, NORTH - 300) == lit
        level = pixel(web, "ground/1/slope", EAST + 300, NORTH - 300)
        steep = pixel(web, "ground/1/slope", EAST + 900, NORTH - 300)
        assert level[:3] == [0xF7, 0xF7, 0xF2]
        share = (math.degrees(math.atan(SLOPE)) - 5) / 10
        green, yellow = np.array([0xD9, 0xE8, 0xB8]), np.array([0xF2, 0xD1, 0x6B])
        assert np.abs(np.array(steep[:3]) - (green + share * (yellow - green))).max() < 6

    def test_where_nothing_is_a_tile_is_transparent(self, web: httpx.Client) -> None:
        for path in ("photo/1", "ground/1/slope", "ground/1/hillshade"):
            bands = picture(web.get(f"/tiles/{path}/10/5/5.png").content)
            assert (bands[-1] == 0).all()

    def test_other_formats_and_what_does_not_exist(self, web: httpx.Client) -> None:
        x, y, *_ = tile_at(*geographic(EAST + 300, NORTH - 300), 17)
        for ending, media in (("jpg", "image/jpeg"), ("webp", "image/webp")):
            answer = web.get(f"/tiles/photo/1/17/{x}/{y}.{ending}")
            assert answer.headers["content-type"] == media
            assert picture(answer.content).shape[1:] == (256, 256)
        assert web.get(f"/tiles/photo/1/slope/17/{x}/{y}.png").status_code == 404
        assert web.get(f"/tiles/photo/9/17/{x}/{y}.png").status_code == 404
        assert web.get("/tiles/photo/1/2/9/9.png").status_code == 404
        assert web.get(f"/tiles/ground/1/aspect/17/{x}/{y}.png").status_code == 422

    def test_tiles_may_be_kept_for_ever(self, web: httpx.Client) -> None:
        first = web.get("/tiles/ground/1/slope/3/6/3.png")
        assert "immutable" in first.headers["cache-control"]
        again = web.get(
            "/tiles/ground/1/slope/3/6/3.png", headers={"if-none-match": first.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")


def test_desktop_gis_finds_the_layers(web: httpx.Client) -> None:
    answer = web.get("/wmts", params={"SERVICE": "WMTS", "REQUEST": "GetCapabilities"})
    assert answer.headers["content-type"].startswith("application/xml")
    spaces = {"w": "http://www.opengis.net/wmts/1.0", "ows": "http://www.opengis.net/ows/1.1"}
    layers = ET.fromstring(answer.content).findall("w:Contents/w:Layer", spaces)
    names = [layer.find("ows:Identifier", spaces).text for layer in layers]
    assert names == ["ground:hillshade", "ground:slope", "photo"]
    for layer in layers:
        west, south = layer.find(".//ows:LowerCorner", spaces).text.split()
        x, y, *_ = tile_at(float(west) + 0.001, float(south) + 0.001, 15)
        template = layer.find("w:ResourceURL", spaces).get("template")
        url = template.replace("{TileMatrix}", "15").replace("{TileCol}", str(x))
        tile = web.get(url.replace("{TileRow}", str(y)))
        assert tile.headers["content-type"] == "image/png"
        assert tile.content.startswith(b"\x89PNG")
    matrices = ET.fromstring(answer.content).findall(".//w:TileMatrix", spaces)
    scales = [float(matrix.find("w:ScaleDenominator", spaces).text) for matrix in matrices]
    assert scales[0] == pytest.approx(559082264.0287178)
    assert np.allclose(np.array(scales[:-1]) / scales[1:], 2)


def test_terrain_is_served_as_cesium_asks_for_it(web: httpx.Client) -> None:
    described = web.get("/t/ground/1/files/terrain/layer.json")
    assert described.headers["content-type"] == "application/json"
    for x in (0, 1):
        answer = web.get(f"/t/ground/1/files/terrain/0/{x}/0.terrain?v=1.0.0")
        assert answer.headers["content-type"] == "application/vnd.quantized-mesh"
        assert answer.headers["content-encoding"] == "gzip"
        assert "immutable" in answer.headers["cache-control"]
        assert len(decode(answer.content, 0, x, 0).triangles) > 2
        plain = web.get(
            f"/t/ground/1/files/terrain/0/{x}/0.terrain", headers={"accept-encoding": "identity"}
        )
        assert "content-encoding" not in plain.headers
        assert plain.content == answer.content
        assert plain.headers["etag"] != answer.headers["etag"]
    assert web.get("/t/ground/1/files/terrain/0/2/0.terrain").status_code == 404


def test_cesium_itself_misses_no_tile_and_finds_the_heights(
    web: httpx.Client, served: Server
) -> None:
    """The client's own code, down to the finest tile of each place, also beyond the terrain."""
    random = np.random.default_rng(6)
    east, south = random.uniform(10, 1190, 400), random.uniform(10, 590, 400)
    to = pyproj.Transformer.from_crs("EPSG:4547", "EPSG:4326", always_xy=True)
    places = np.column_stack(to.transform(EAST + east, NORTH - south)).tolist()
    places += [[113.3, 23.1], [113.46, 22.9], [-60.0, -30.0]]
    script = Path(__file__).with_name("terrain.mjs")
    url = f"{served.url}/t/ground/1/files/terrain/"
    said = json.loads(node(script, VIEWER / "package.json", url, text=json.dumps(places)))
    assert said["errors"] == []
    assert said["normals"]
    expected = 20 + np.maximum(east - 602.5, 0) * SLOPE
    heights = np.array(said["heights"])
    assert np.abs(heights[:400] - expected).max() < 0.5
    assert np.allclose(heights[400:], 0, atol=0.01)


def test_a_raster_can_be_read_in_parts(web: httpx.Client, served: Server, tmp_path: Path) -> None:
    url = "/t/ground/1/files/surface.tif"
    whole = web.get(url)
    assert whole.headers["content-type"].startswith("image/tiff")
    part = web.get(url, headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    head = web.head(url)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))


def test_only_what_a_published_version_has_is_served(web: httpx.Client) -> None:
    for path in (
        "/t/ground/1/files/",
        "/t/ground/1/files/terrain",
        "/t/ground/2/files/surface.tif",
        "/t/ground/1/files/../tileset.json",
        "/t/ground/1/files/%2e%2e/%2e%2e/%2e%2e/city.gpkg",
        "/t/ground/1/files/..%2f..%2f..%2fcity.gpkg",
        "/t/ground/1/files//etc/passwd",
        "/t/ground/1/files/a%00b",
    ):
        assert web.get(path).status_code == 404, path
    assert web.post("/t/ground/1/files/surface.tif").status_code in (403, 405)


def test_files_of_strangers_are_not_run(served: Server, web: httpx.Client) -> None:
    folder = next(served.log.parent.glob("city/layers/ground/1/files"))
    (folder / "evil.html").write_text("<script>alert(1)</script>")
    (folder / "link.tif").symlink_to("/etc/hostname")
    answer = web.get("/t/ground/1/files/evil.html")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert web.get("/t/ground/1/files/link.tif").status_code == 404


def test_a_large_file_is_sent_in_pieces(served: Server, web: httpx.Client) -> None:
    folder = next(served.log.parent.glob("city/layers/ground/1/files"))
    data = np.random.default_rng(0).bytes(9_000_001)
    (folder / "large.bin").write_bytes(data)
    assert web.get("/t/ground/1/files/large.bin").content == data
    part = web.get("/t/ground/1/files/large.bin", headers={"range": "bytes=4000000-8500000"})
    assert part.content == data[4_000_000:8_500_001]


def test_terrain_comes_in_over_http_and_is_asked_about(served: Server, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "feet.tif", hills(60, 60), crs="EPSG:3547", west=4.95e6, north=3.9e6, pixel=30)  # fmt: skip
    failed = served.finished(served.upload(path)["jobID"])
    assert failed["status"] == "failed"
    assert "vertical_unit=metre, foot or us-foot" in str(failed)
    job = served.finished(
        served.upload(path, options="vertical_unit=us-foot", kind="terrain")["jobID"]
    )
    assert job["status"] == "successful", job
    tile = served.client.get("/t/feet/2/files/terrain/0/0/0.terrain")
    assert tile.status_code == 200
    entry = served.client.get("/collections/feet").json()
    assert entry["extent"]["spatial"]["bbox"][0][0] == pytest.approx(-85.65, abs=0.1)
