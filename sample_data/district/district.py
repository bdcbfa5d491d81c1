"""The district as a whole: streets, blocks filled by their use, and what is planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely

from sample_data.district import campus, centre, greens, homes, works
from sample_data.district.draft import Building, Draft, Parcel, building, fitted
from sample_data.district.outlines import facing_south, polygons, rectangle
from sample_data.district.plan import WIDTHS, Plan, Shape, Use, plan, random
from sample_data.district.streets import Network, network
from sample_data.district.water import Water, water

Fill = Callable[[Shape, Use, np.random.Generator, Draft], None]

FILLERS: Mapping[str, Fill] = {
    "slabs": homes.slabs, "old": homes.old, "towers": homes.towers, "villas": homes.villas,
    "village": homes.village, "oldtown": homes.oldtown, "factory": works.factory, "renewal": works.renewal,
    "logistics": works.logistics, "wharf": works.wharf, "techpark": works.techpark,
    "cbd": centre.cbd, "office": centre.office, "mall": centre.mall, "plaza": centre.plaza,
    "school": campus.school, "college": campus.college, "hospital": campus.hospital,
    "sports": campus.sports, "park": greens.park, "hill": greens.hill, "green": greens.green,
}  # fmt: skip


@dataclass(frozen=True)
class District:
    """Everything of the district, in plan metres.

    `main` are the streets between the blocks, `streets` these and the lanes inside them.
    `planned` are the buildings that will stand where the parcels of `renewed` are built anew.
    """

    plan: Plan
    seed: int
    water: Water
    main: Network
    streets: Network
    reserve: Shape
    blocks: tuple[tuple[Shape, Use], ...]
    parcels: tuple[Parcel, ...]
    buildings: tuple[Building, ...]
    marks: tuple[tuple[str, Shape], ...]
    renewal: Shape
    planned: Draft


def district(seed: int) -> District:
    """Draw the district; equal seeds give equal districts."""
    drawn = plan()
    wet = water(drawn)
    main = network(drawn, drawn.streets)
    reserve = main.ground(WIDTHS).buffer(7.0).buffer(-7.0)
    land = drawn.area.difference(
        shapely.union_all([reserve, wet.river, wet.creek, wet.verge, wet.lake])
    )
    blocks = tuple((face, _use(face, drawn)) for face in polygons(land, 60.0))
    draft = Draft([s.line for s in main.segments])
    for number, (face, use) in enumerate(blocks):
        rng = random(seed, f"{use.zh}{number}")
        if use.use == "civic":
            centre.civic(face, use, rng, draft, drawn.sites)
        else:
            FILLERS[use.use](face, use, rng, draft)
    greens.green(wet.verge.difference(reserve), Use((0, 0), "green", "青涌绿带", "Qingyong Greenway"), random(seed, "verge"), draft)  # fmt: skip
    _serve(draft, random(seed, "service"))
    whole = network(drawn, [*drawn.streets, *draft.lanes])
    ground = shapely.union(reserve, whole.ground(["lane", "alley"]))
    buildings = _clear(draft.buildings, ground)
    ahead = _planned(blocks, seed, main)
    renewal = shapely.union_all([face for face, use in blocks if use.use == "renewal"])
    return District(
        drawn, seed, wet, main, whole, reserve, blocks, tuple(draft.parcels), buildings,
        tuple(draft.marks), renewal, ahead,
    )  # fmt: skip


def _use(face: Shape, drawn: Plan) -> Use:
    for use in drawn.uses:
        if face.contains(shapely.Point(*use.at)):
            return use
    return Use((face.centroid.x, face.centroid.y), "green", "街头绿地", "Pocket Green")


def _clear(buildings: list[Building], ground: Shape) -> tuple[Building, ...]:
    """Those buildings that no street runs through."""
    outlines = np.array([b.outline for b in buildings])
    shapely.prepare(ground)
    met = shapely.intersects(ground, outlines)
    return tuple(b for b, hit in zip(buildings, met, strict=True) if not hit)


def _serve(draft: Draft, rng: np.random.Generator) -> None:
    """Small houses every estate and works has: gate, substation, pumps, refuse, bicycles."""
    kinds = (
        ("门卫", "Gatehouse", (5.0, 4.0)), ("配电房", "Substation", (11.0, 6.5)),
        ("水泵房", "Pump House", (8.0, 6.0)), ("垃圾站", "Refuse Room", (9.0, 6.0)),
        ("车棚", "Bicycle Shed", (20.0, 4.5)),
    )  # fmt: skip
    taken = shapely.STRtree([b.outline for b in draft.buildings])
    lanes = shapely.STRtree([s.line for s in draft.lanes])
    tracks = shapely.union_all([s for k, s in draft.marks if k in ("track", "pool", "court")])
    for number, parcel in enumerate(draft.parcels):
        if (
            parcel.code[0] not in "RMWABS"
            or parcel.outline.area < 6_000
            or parcel.use.use == "site"
        ):
            continue
        near = shapely.union_all(taken.geometries[taken.query(parcel.outline)]).buffer(4.0)
        streets = shapely.union_all(lanes.geometries[lanes.query(parcel.outline)]).buffer(4.5)
        free = parcel.outline.buffer(-2.5).difference(near).difference(streets).difference(tracks)
        turn = facing_south(parcel.outline)
        west, south, east, north = parcel.outline.bounds
        count = int(np.clip(parcel.outline.area / 5_000, 2, 5))
        for zh, en, size in kinds[:count]:
            goal = (rng.uniform(west, east), rng.uniform(south, north))
            house = fitted(free, rectangle(*size), turn, 5.0, goal)
            if house is None:
                continue
            name = (f"{parcel.use.zh}{zh}", f"{parcel.use.en} {en}")
            draft.build(number, None, [building(house, "utility", "shop", 1, 4.0, int(rng.integers(1995, 2022)), "砖混 masonry", number, *name)], 0.0)  # fmt: skip
            free = free.difference(house.buffer(10.0))


def _planned(blocks: tuple[tuple[Shape, Use], ...], seed: int, main: Network) -> Draft:
    """What the plan puts on the land of the old works: homes, offices and a green by the river."""
    draft = Draft([s.line for s in main.segments])
    faces = [face for face, use in blocks if use.use == "renewal"]
    for number, face in enumerate(faces):
        rng = random(seed, f"renewal {number}")
        use = Use(
            (0, 0), "renewal", f"糖厂新城{number + 1}期", f"Sugar Mill New Town Phase {number + 1}"
        )
        if face.centroid.y > 575:
            homes.towers(face, use, rng, draft, 2028)
        else:
            centre.cbd(face, use, rng, draft, 2029)
    return draft
