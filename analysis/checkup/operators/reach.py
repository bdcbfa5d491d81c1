"""What sites serve: circles, circles of a duty area, or what is reached in minutes on roads."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely

from analysis.checkup.formulas import Input, Site
from analysis.checkup.loaded import engine_table
from analysis.checkup.operators.geometry import Area, Pieces, Shapes, unions
from analysis.checkup.operators.uses import Use
from analysis.checkup.scene import Scene
from analysis.reach.entrances import entrances
from analysis.reach.network import ReachNetwork
from analysis.reach.rules import Mode, mode_rules
from analysis.reach.service import joined, network_of, served_area
from cim_core.errors import InvalidInput

ROADS = Input(input="roads")


def radius_of(site: Site) -> float:
    """How far a site serves in the plane, metres; 0 for the site itself."""
    if site.duty_area is not None:
        return math.sqrt(site.duty_area / math.pi)
    return site.radius or 0.0


def on_roads(sites: Sequence[Site]) -> bool:
    """Whether any of some sites serves by time."""
    return any(site.minutes is not None for site in sites)


def reach_of(scene: Scene, sites: Sequence[Site], on: str = "plane") -> Area:
    """What is in reach of any of some sites, wherever they are: outside the district as well.

    Minutes count on foot where `on` says nothing else. Raises `InvalidInput` for a site with both
    minutes and a radius.
    """
    key = ("reach", on, *(site.model_dump_json() for site in sites))
    return scene.made(key, lambda: Area.of(np.concatenate([_reach(scene, s, on) for s in sites])))


def _reach(scene: Scene, site: Site, on: str) -> Shapes:
    told = [site.radius, site.duty_area, site.minutes]
    if sum(one is not None for one in told) > 1:
        raise InvalidInput(
            f"sites of {site.input!r} serve by one of radius, duty_area and minutes, not by several"
        )
    picked = scene.pick(Input(input=site.input, where=site.where))
    if site.minutes is None:
        return around(picked.shapes, radius_of(site))
    if not len(picked.shapes):
        return picked.shapes
    found: Shapes = np.empty(1, object)
    places, _ = entrances(picked.shapes)
    found[0] = served_area(scene.pick(ROADS), places, site.minutes, _mode(on))
    return found


def roads_of(scene: Scene, sites: Sequence[Site], on: str = "plane") -> Use:
    """The roads as an input: of no use where one may go along none, doubtful where sites are off them."""
    picked = scene.pick(ROADS)
    # Not all columns have to be there, but one that is hidden may be what closes a street.
    asked = tuple(sorted(picked.hidden & set(scene.roles[picked.role].columns)))
    found = Use(ROADS, picked, asked, absent="no-network")
    if found.reason:
        return found
    network = network_of(picked, _mode(on))
    if not len(network.shapes):
        return replace(found, closed=True)
    off = any(_off(scene, network, site) for site in sites if site.minutes is not None)
    return replace(found, doubted="sites-off-roads" if off else "")


def _off(scene: Scene, network: ReachNetwork, site: Site) -> bool:
    """Whether any site that might serve somebody in the district is too far from every road."""
    rules = mode_rules(network.mode)
    fastest = rules.pace or max(rules.speeds.values()) * 1000 / 60
    sites = scene.pick(Input(input=site.input, where=site.where)).shapes
    [district] = scene.units("district").shapes
    near = sites[shapely.dwithin(sites, district, fastest * (site.minutes or 0.0))]
    places, of = entrances(near)
    return len(np.unique(of[~joined(network, places).far])) < len(near)


def _mode(on: str) -> Mode:
    return "drive" if on == "drive" else "walk"


def around(shapes: Shapes, distance: float) -> Shapes:
    """Shapes with all that is no farther from them than `distance`, (n,)."""
    if distance == 0:
        return shapes
    quarter = int(engine_table()["circles"]["quarter"])
    found: Shapes = shapely.buffer(shapes, distance, quad_segs=quarter)
    return found


def without(pieces: Pieces, served: Pieces) -> Pieces:
    """What is left of pieces, `of` each its row, without what is `served` of them, by those rows."""
    if not len(served.of):
        return pieces
    taken = unions(served, int(max(pieces.of.max(), served.of.max())) + 1)[pieces.of]
    left = shapely.difference(pieces.shapes, taken)
    kept = shapely.get_dimensions(left) == shapely.get_dimensions(pieces.shapes)
    kept &= ~shapely.is_empty(left)
    return Pieces(pieces.of[kept], left[kept])
