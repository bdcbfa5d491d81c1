"""Every operation the API describes, asked by every role in its own town and department and in others.

What is to be granted stands here in words of its own, and not in the program's: who looks, takes
away, describes, changes, and who looks after people and the log.
"""

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from fastapi.routing import APIRoute
from starlette.routing import Mount

from cim_core.city import City
from server.access.passwords import hashed
from server.access.policy import Policy, default_policy, public_policy
from server.app import create_app
from server.settings import Settings
from tests.conftest import import_file
from tests.support.every_checkup import OF_CHECKUP, checkup_of
from tests.support.every_renewal import OF_RENEWAL
from tests.support.every_route import (
    EVERY,
    HERE,
    LAYERS,
    NOT_THERE,
    OF_CITY,
    OF_LAYERS,
    OTHER,
    OWN,
    PUBLIC,
    Part,
    Scene,
)
from tests.support.every_traffic import OF_TRAFFIC
from tests.support.one_by_one import status_of
from tests.support.rasters import write_raster
from tests.support.renewal import renewal_of
from tests.support.traffic import crossing, publish_roads

# "no default": whoever is not named may nothing. "The sample city opens its public layers."
# "Attributes of sensitive layers hidden by role", so what shows a layer as a whole is not shown to
# who sees it without depth, pressure and owner: viewers and reporters. "Row filters by town":
# reporters are for one town. Only the security administrator looks after people, only the auditor
# reads the log, neither sees more of the city than anybody.
IN_TOWN = frozenset({"open", "inner", "secret"})
INNER = frozenset({"open", "inner", "inner-elsewhere"})
PARTS = {
    "stranger": Part(PUBLIC, PUBLIC, PUBLIC, known=False),
    "viewer": Part(EVERY, INNER),
    "reporter": Part(
        IN_TOWN, frozenset({"open", "inner"}), renewal=frozenset({"report", "households"})
    ),
    "supervisor": Part(
        EVERY, EVERY, INNER, answers=EVERY, renewal=frozenset({"report", "order", "households"})
    ),
    "editor": Part(EVERY, EVERY, INNER | {"secret"}, INNER | {"secret"}, answers=EVERY),
    "data-manager": Part(
        EVERY, EVERY, EVERY, EVERY, EVERY, EVERY, renewal=frozenset({"households"})
    ),
    "security-administrator": Part(PUBLIC, PUBLIC, people=True),
    "auditor": Part(PUBLIC, PUBLIC, log=True),
}
CLOSED = {"stranger": Part(known=False)}
"""A city that opens nothing."""
LOOPBACK = {"loopback": Part(EVERY, EVERY, EVERY, known=False, machine=True)}
"""A city without a policy, asked on its own machine: all may look, nobody changes."""
WITHOUT_LAYER = {**OF_CITY, **OF_RENEWAL, **OF_CHECKUP, **OF_TRAFFIC}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city with five layers of buildings, public to sensitive, here and elsewhere."""
    folder = tmp_path_factory.mktemp("every-route")
    city = City.open_or_create(folder / "city")
    for name, (sensitivity, (lon, lat), department) in LAYERS.items():
        houses = [
            {
                "type": "Feature", "id": f"b{number}",
                "properties": {"name": f"house {number}", "height": 9.0, "use": "housing"},
                "geometry": shapely.geometry.mapping(
                    shapely.box(lon + step, lat + step, lon + step + 1e-4, lat + step + 1e-4)
                ),
            }
            for number, step in enumerate((0.0, 3e-4), start=1)
        ]  # fmt: skip
        path = folder / f"{name}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": houses}))
        said = {"sensitivity": sensitivity, "department": department, "base": "0"}
        import_file(city, path, kind="buildings", options=said)
        beside = city.layers_folder / name / "1" / "files"
        beside.mkdir(exist_ok=True)
        (beside / "beside.json").write_text("{}")
        (beside.parent / "thumbnail.png").write_bytes(b"as if painted")  # painting takes seconds
    ground = write_raster(
        folder / "ground.tif", np.full((40, 40), 9.0, "f4"), crs="EPSG:4326", west=HERE[0],
        north=HERE[1] + 0.002, pixel=5e-5,
    )  # fmt: skip
    import_file(city, ground, kind="terrain", options={"sensitivity": "sensitive"})
    for name, (sensitivity, _, _) in LAYERS.items():  # what is driven on is told of these
        publish_roads(city, f"{name}-ways", crossing(f"J-{name}"), sensitivity)
    publish_roads(city, "ways", crossing("J1"), "public")
    publish_roads(city, "ways-secret", crossing("J2"), "sensitive")
    renewal_of(city, layer="inner")
    city.renewal.close()
    checkup_of(city)
    city.checkups.close()
    city.refused_folder.mkdir(exist_ok=True)
    (city.refused_folder / "house-0123456789ab.json").write_text('{"findings": []}')
    return city.folder


def scene_of(base: Path, folder: Path, policy: Policy | None, roles: Sequence[str]) -> Scene:
    """A copy of the city with a policy and an account for each role."""
    shutil.copytree(base, folder)
    city = City.open(folder)
    people, sessions = {}, {}
    if policy is not None:
        office = city.office
        office.policies.put(policy.document(), 0, "test")
        lon, lat = HERE
        boundary = shapely.box(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01)
        office.people.add_town("here", {"en": "Here"}, boundary)
        for department in (OWN, OTHER):
            office.people.add_department(department, {"en": department})
        for role in roles:
            account = office.people.add(
                role, roles=(role,), towns=("here",), department=OWN,
                password_hash=hashed("x" * 12, 1024),
            )  # fmt: skip
            people[role] = account.id
            sessions[role] = office.sessions.begin(account.id, "127.0.0.1", 3600, "password")
    unlimited = dict.fromkeys(("rate_address", "rate_person", "rate_files", "rate_sign_in"), 10**9)
    app = create_app(Settings(city=folder, **unlimited))
    app.state.cim.recorder.start()  # which else begins when the server does
    return Scene(city, app, people, sessions)


ROLES = tuple(role for role in PARTS if role != "stranger")


async def walk(scene: Scene, parts: dict[str, Part]) -> list[str]:
    """Ask everything as everybody; what was not as expected."""
    odd: list[str] = []

    async def ask(who: str, name: str, url: str, body: object) -> int:
        headers = {"origin": "http://localhost", "if-match": '"1"'}
        if who in scene.sessions:
            headers["cookie"] = f"cim_session={scene.sessions[who]}"
        method = name.partition(" ")[0]
        return await status_of(scene.app, method, url, body, headers, "127.0.0.1")

    async def ask_city(who: str, name: str) -> None:
        judge, example = WITHOUT_LAYER[name]
        status = await ask(who, name, *example(scene, who))
        granted, refused = judge(parts[who], ""), status in (401, 403, 404)
        if name not in NOT_THERE and (status >= 500 or status == 405 or refused == granted):
            odd.append(f"{who}: {name} is {status}, granted: {granted}")
        if refused and not granted and not parts[who].known and status == 403:
            odd.append(f"{who}: {name} is 403, where signing in might help")

    async def ask_layer(who: str, name: str, layer: str) -> None:
        judge, example = OF_LAYERS[name]
        status = await ask(who, name, *example(scene, layer))
        granted, refused = judge(parts[who], layer), status in (401, 403, 404)
        if refused == granted or (status >= 400 and not refused):
            odd.append(f"{who}: {name} of {layer} is {status}, granted: {granted}")
        if layer not in parts[who].looks and status not in (401, 404):
            odd.append(f"{who}: {name} of {layer} is {status}, which tells that it is there")

    for name in WITHOUT_LAYER:
        if name != "DELETE /session":  # which is still needed
            await asyncio.gather(*(ask_city(who, name) for who in parts))
    for name in OF_LAYERS:
        await asyncio.gather(*(ask_layer(who, name, layer) for layer in LAYERS for who in parts))
    return odd


def test_there_is_an_example_and_a_rule_for_every_route(base: Path, tmp_path: Path) -> None:
    scene = scene_of(base, tmp_path / "city", None, ())
    described = {
        f"{method.upper()} {path}"
        for path, operations in scene.app.openapi()["paths"].items()
        for method in operations
    }
    examples = {
        name.partition(" as ")[0]
        .partition(" who ")[0]
        .partition(" elsewhere")[0]
        .partition(" of ")[0]
        for name in {*OF_LAYERS, *WITHOUT_LAYER}
    }
    assert described == examples
    for path, operations in scene.app.openapi()["paths"].items():
        for method, operation in operations.items():
            assert operation.get("x-verb"), (method, path)
    hidden = [route for route in routes_of(scene.app.router) if not route.include_in_schema]
    assert [route.path for route in hidden] == ["/docs"]
    assert len(routes_of(scene.app.router)) > 60
    for route in routes_of(scene.app.router):
        assert (route.openapi_extra or {}).get("x-verb"), route.path
    mounted = {route.path for route in scene.app.routes if isinstance(route, Mount)}
    assert mounted == {"/t", "/viewer"}, "what is mounted is described by hand"


def routes_of(router: Any) -> list[APIRoute]:
    """The routes of a router and of those inside it."""
    found = []
    for route in router.routes:
        if isinstance(route, APIRoute):
            found.append(route)
        elif hasattr(route, "original_router"):
            found += routes_of(route.original_router)
    return found


def test_everybody_is_granted_what_they_may_and_nothing_else(base: Path, tmp_path: Path) -> None:
    scene = scene_of(base, tmp_path / "city", public_policy(), ROLES)
    assert asyncio.run(walk(scene, PARTS)) == []


def test_a_closed_city_tells_strangers_nothing(base: Path, tmp_path: Path) -> None:
    scene = scene_of(base, tmp_path / "city", default_policy(), ("security-administrator",))
    assert asyncio.run(walk(scene, CLOSED)) == []


def test_without_a_policy_all_on_the_machine_may_look_and_nobody_changes(
    base: Path, tmp_path: Path
) -> None:
    scene = scene_of(base, tmp_path / "city", None, ())
    assert asyncio.run(walk(scene, LOOPBACK)) == []
