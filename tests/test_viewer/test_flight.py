"""From three kilometres to five metres: tiles refine, memory stays bounded, picks stay right."""

import numpy as np
import pytest
import trimesh

from cim_core.city import City
from tests.support.readback import Plain, Tile, decoded, tiles, triangles_by_feature
from tests.support.serving import Server
from tests.test_viewer.test_viewer import FINEST

LAYER = "hhs_constr"

WATCH = """() => {
    const { primitives } = window.cim.viewer.scene;
    window.flight = { errors: [] };
    for (let i = 0; i < primitives.length; i++) {
        const tileset = primitives.get(i);
        if (!("maximumScreenSpaceError" in tileset) || !tileset.show) continue;
        window.flight.tileset = tileset;
        tileset.tileVisible.addEventListener((tile) => window.flight.errors.push(tile.geometricError));
    }
}"""

LOOK = """() => {
    window.flight.errors = [];
    window.cim.pixels();
    const { camera, canvas } = window.cim.viewer.scene;
    return {
        errors: window.flight.errors,
        memory: window.flight.tileset.totalMemoryUsageInBytes,
        allowed: window.flight.tileset.cacheBytes + window.flight.tileset.maximumCacheOverflowBytes,
        view: Array.from(camera.viewMatrix), projection: Array.from(camera.frustum.projectionMatrix),
        width: canvas.clientWidth, height: canvas.clientHeight,
    };
}"""


@pytest.fixture(scope="module")
def steel_server(real_city: City, tmp_path_factory: pytest.TempPathFactory):
    running = Server(real_city.folder, tmp_path_factory.mktemp("log") / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


def test_a_flight_down_to_an_element_refines_and_picks_what_is_there(
    steel_server: Server, real_city: City, visit
) -> None:
    version = real_city.layers.get(LAYER)
    tileset = real_city.layers_folder / LAYER / str(version.version) / "tileset.json"
    west, south, _, east, north, top = version.summary["bbox"]
    page = visit(steel_server.url, f"#l={LAYER}")
    page.evaluate(WATCH)
    finest = []
    for metres in (3000, 800, 200, 60, 5):
        page.evaluate(
            "(view) => window.cim.flyTo(view)",
            {
                "lon": (west + east) / 2, "lat": (south + north) / 2, "height": top + metres,
                "heading": 0, "pitch": -90, "roll": 0,
            },
        )  # fmt: skip
        seen = page.evaluate(LOOK)
        assert seen["errors"], f"nothing is drawn from {metres} m"
        assert seen["memory"] < seen["allowed"]
        finest.append(min(seen["errors"]))
    assert finest[0] > 0, "from three kilometres the leaves are not needed"
    assert finest[-1] == 0, "from five metres they are"
    assert finest == sorted(finest, reverse=True)

    page.evaluate(f"() => window.cim.flyTo('{LAYER}')")
    page.evaluate(FINEST)
    page.evaluate("() => window.cim.settled()")
    drawn = {f["id"] for f in page.evaluate(f"() => window.cim.features('{LAYER}')")}
    rows = [r for r in real_city.features.all(LAYER, version.version) if r.footprint is not None]
    assert drawn == {row.feature.id for row in rows}
    leaves = [tile for tile in tiles(tileset) if tile.leaf]
    instanced: set[str] = set()
    for path in decoded([tile.path for tile in leaves]):
        for part in Plain(path).parts():
            if part.instanced:
                instanced.update(part.ids.tolist())
    # Close to the highest of them, where they fill the picture.
    highest = max((row for row in rows if row.feature.id in instanced), key=lambda row: row.zmax)
    page.evaluate("(box) => window.cim.flyTo(box)", list(highest.bbox))
    _check_picks(page, leaves, instanced)


def _check_picks(page, leaves: list[Tile], instanced: set[str]) -> None:
    """What is picked is what a ray meets first, cast in Python through the source's triangles."""
    found = triangles_by_feature([tile.path for tile in leaves])
    owners = np.repeat(list(found), [len(part) for part in found.values()])
    corners = trimesh.transform_points(
        np.vstack(list(found.values())).reshape(-1, 3), leaves[0].matrix
    ).reshape(-1, 3, 3)
    seen = page.evaluate(LOOK)
    view, projection = (np.array(seen[k]).reshape(4, 4).T for k in ("view", "projection"))
    eye = trimesh.transform_points(corners.reshape(-1, 3), view).reshape(-1, 3, 3)
    # Pixels from the middle of the picture, per unit of x or y at distance 1.
    focal = projection[[0, 1], [0, 1]] * np.array([seen["width"], -seen["height"]]) / 2
    half = np.array([seen["width"], seen["height"]]) / 2
    rng = np.random.default_rng(2026)
    ahead = (eye[:, :, 2] < -0.5).all(axis=1)
    center = eye.mean(axis=1)
    middle = center[:, :2] / np.where(ahead, -center[:, 2], np.inf)[:, None] * focal + half
    inside = ((middle > 2) & (middle < 2 * half - 2)).all(axis=1)
    candidates = np.flatnonzero(ahead & inside & np.isin(owners, list(instanced)))
    right = wrong = of_instances = 0
    for row in rng.permutation(candidates)[:300]:
        x, y = middle[row]
        around = {
            _first(eye, owners, *((np.array([x + a, y + b]) - half) / focal))
            for a in (-1.5, 0, 1.5)
            for b in (-1.5, 0, 1.5)
        }
        if len(around) > 1:  # an edge of what is seen: a pixel may belong to either
            continue
        [expected] = around
        picked = page.evaluate("([x, y]) => window.cim.pickAt(x, y)", [x, y])
        ok = picked is not None and picked["id"] == expected
        right, wrong = right + ok, wrong + (not ok)
        of_instances += expected in instanced
    assert of_instances >= 10
    assert right >= 15
    assert wrong == 0


def _first(eye: np.ndarray, owners: np.ndarray, x: float, y: float) -> str | None:
    """The feature of the first triangle (m, 3, 3) that the ray (x, y, -1) from the camera meets."""
    ray = np.array([x, y, -1.0])
    one, two = eye[:, 1] - eye[:, 0], eye[:, 2] - eye[:, 0]
    across = np.cross(ray, two)
    det = (one * across).sum(axis=1)
    det = np.where(np.abs(det) < 1e-12, np.inf, det)
    u = -(eye[:, 0] * across).sum(axis=1) / det
    turned = np.cross(-eye[:, 0], one)
    v = turned @ ray / det
    depth = (two * turned).sum(axis=1) / det
    hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (depth > 0.1)
    return str(owners[np.argmin(np.where(hit, depth, np.inf))]) if hit.any() else None
