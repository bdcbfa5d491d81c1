"""Rules of the check report about land: boundaries, parcels, towns, and what is planned on them."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import combinations

import numpy as np
import shapely

from analysis.areas import square_metres
from analysis.renewal.examined import Check, CheckRule, Examined, Found
from analysis.renewal.plan_comparison import comparison
from cim_core.errors import NotFound

_LIMITS = {
    "floor_area": {"en": "floor area", "zh": "建筑面积"},
    "far": {"en": "floor area ratio", "zh": "容积率"},
    "height": {"en": "height", "zh": "建筑高度"},
    "density": {"en": "building density", "zh": "建筑密度"},
    "green_ratio": {"en": "green ratio", "zh": "绿地率"},
}


def boundary_missing(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects without a boundary."""
    for key in examined.projects:
        if key not in examined.boundaries:
            yield Found(key, "project", key, {})


def land_area_differs(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects whose land is not as large as their boundary."""
    for key, boundary in examined.boundaries.items():
        stated = examined.projects[key].land_area
        measured = _area(boundary)
        if stated and abs(stated - measured) > rule.limits["share"] * measured:
            values = {"stated": stated, "measured": round(measured, 1)}
            yield Found(key, "project", key, values)


def parcels_sum(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects whose parcels do not add up to their land."""
    for key, project in examined.projects.items():
        known = examined.land[key].values()
        boundary = examined.boundaries.get(key)
        land = project.land_area or (_area(boundary) if boundary is not None else None)
        if not known or land is None or any(area is None for area in known):
            continue
        total = sum(area for area in known if area is not None)
        if abs(total - land) > rule.limits["share"] * land:
            values = {"parcels": round(total, 1), "land": round(land, 1)}
            yield Found(key, "project", key, values)


def parcel_area_differs(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Parcels that are not as large as their outline."""
    for key, project in examined.projects.items():
        shapes = examined.parcels[key]
        for parcel in project.parcels:
            if parcel.id not in shapes or not parcel.land_area:
                continue
            measured = _area(shapes[parcel.id])
            if abs(parcel.land_area - measured) > rule.limits["share"] * measured:
                values = {
                    "parcel": parcel.id, "stated": parcel.land_area, "measured": round(measured, 1),
                }  # fmt: skip
                yield Found(key, "project", key, values)


def parcels_overlap(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Parcels of a project that lie over each other."""
    for key, parcels in examined.parcels.items():
        for (one, first), (other, second) in combinations(parcels.items(), 2):
            area = _area(shapely.intersection(first, second)) if _meet(first, second) else 0.0
            if area > rule.limits["area"]:
                values = {"parcel": one, "other": other, "area": round(area, 1)}
                yield Found(key, "project", key, values)


def parcel_outside(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Parcels that reach beyond the boundary of their project."""
    for key, boundary in examined.boundaries.items():
        for parcel, shape in examined.parcels[key].items():
            area = _area(shapely.difference(shape, boundary))
            if area > max(rule.limits["area"], rule.limits["share"] * _area(shape)):
                values = {"parcel": parcel, "area": round(area, 1)}
                yield Found(key, "project", key, values)


def projects_overlap(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects whose land is another project's as well."""
    keys = list(examined.boundaries)
    shapes = np.array([examined.boundaries[key] for key in keys], dtype=object)  # also where empty
    for one, other in shapely.STRtree(shapes).query(shapes, predicate="intersects").T.tolist():
        if one <= other:
            continue
        area = _area(shapely.intersection(shapes[one], shapes[other]))
        if area > rule.limits["area"]:
            name = examined.projects[keys[other]].name
            values = {"other": keys[other], "other_name": name, "area": round(area, 1)}
            yield Found(keys[one], "project", keys[one], values)


def town_unknown(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects of a town that the city does not have."""
    if examined.towns is None:
        return
    towns = dict(examined.towns)
    for key, project in examined.projects.items():
        if project.town not in towns:
            yield Found(key, "project", key, {"town": project.town})


def town_outside(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects much of whose land lies outside their town."""
    drawn = {town: shapely.from_wkb(wkb) for town, wkb in examined.towns or () if wkb is not None}
    for key, boundary in examined.boundaries.items():
        town = drawn.get(examined.projects[key].town)
        if town is None:
            continue
        share = shapely.difference(boundary, town).area / boundary.area
        if share > rule.limits["share"]:
            values = {"town": examined.projects[key].town, "share": round(share, 4)}
            yield Found(key, "project", key, values)


def planned_missing(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Parcels whose planned model is no layer that is planned."""
    for key, project in examined.projects.items():
        for parcel in project.parcels:
            if parcel.planned and not _is_planned(examined, parcel.planned):
                values = {"parcel": parcel.id, "layer": parcel.planned}
                yield Found(key, "project", key, values)


def _is_planned(examined: Examined, layer: str) -> bool:
    try:
        return examined.city.layers.get(layer).about.lifecycle == "planned"
    except NotFound:
        return False


def plan_exceeds(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Parcels whose planned model is more than what was approved."""
    for key, project in examined.projects.items():
        if not any(parcel.planned and parcel.approved for parcel in project.parcels):
            continue
        compared = comparison(examined.city, examined.ledger, key, project, examined.at)
        for parcel in compared.parcels:
            if parcel.exceeds:
                limits = {
                    language: separator.join(_LIMITS[name][language] for name in parcel.exceeds)
                    for language, separator in (("en", ", "), ("zh", "、"))
                }
                yield Found(key, "project", key, {"parcel": parcel.id, "limits": limits})


def far_differs(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Floor area ratios that do not follow from the areas beside them."""
    for key, project in examined.projects.items():
        differs = partial(_far_found, key, rule.limits["share"])
        yield from differs({"en": "the project", "zh": "项目"}, project.floor_area_planned,
                           project.land_area, project.far)  # fmt: skip
        for parcel in project.parcels:
            if parcel.approved is not None:
                what = {"en": f"parcel {parcel.id}", "zh": f"地块 {parcel.id}"}
                approved = parcel.approved
                yield from differs(
                    what, approved.floor_area, examined.land[key][parcel.id], approved.far
                )


def _far_found(
    key: str, share: float, what: Mapping[str, str], floor_area: float | None,
    land: float | None, far: float | None,
) -> Iterator[Found]:  # fmt: skip
    if not floor_area or not land or not far:
        return
    computed = floor_area / land
    if abs(computed - far) > share * far:
        values = {
            "floor_area": floor_area, "land": round(land, 1), "computed": round(computed, 3),
            "far": far, "what": what,
        }  # fmt: skip
        yield Found(key, "project", key, values)


def _area(shape: shapely.Geometry) -> float:
    return float(square_metres([shape])[0])


def _meet(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    return bool(shapely.intersects(one, other))


CHECKS: Mapping[str, Check] = {
    "boundary-missing": boundary_missing,
    "land-area-differs": land_area_differs,
    "parcels-sum": parcels_sum,
    "parcel-area-differs": parcel_area_differs,
    "parcels-overlap": parcels_overlap,
    "parcel-outside": parcel_outside,
    "projects-overlap": projects_overlap,
    "town-unknown": town_unknown,
    "town-outside": town_outside,
    "planned-missing": planned_missing,
    "plan-exceeds": plan_exceeds,
    "far-differs": far_differs,
}
