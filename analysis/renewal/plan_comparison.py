"""Before and after: the buildings of a parcel against its planned model, beside what was approved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import shapely

from analysis.areas import square_metres
from analysis.renewal.twin_areas import floor_area_of, of_rows
from analysis.renewal.twin_buildings import TwinBuilding, buildings_in
from analysis.renewal.twin_tables import is_green, twin_table
from cim_core.city import City
from cim_core.errors import NotFound
from cim_core.renewal.documents import Limits, Parcel, Project
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.outlines import outline
from cim_core.store.features import Query
from cim_core.store.layers import LayerVersion

_ALL = 2**31
_UPPER = ("floor_area", "far", "height", "density")


@dataclass(frozen=True, slots=True)
class State:
    """A parcel as it is built, or would be: m², metres, ratios and shares; None where nothing says.

    land_area
        By the parcel's papers, else by its outline.
    far, density
        Floor area and footprint over land area.
    green_ratio
        Green land over land area; what stands on it is not green.
    unknown
        Buildings whose floor area is not known; they are in no sum but that of footprints.
    """

    land_area: float
    footprint: float
    floor_area: float
    far: float
    height: float | None
    density: float
    green_ratio: float | None
    buildings: int
    unknown: int


@dataclass(frozen=True, slots=True)
class ParcelComparison:
    """A parcel before and after; None where it has no outline, or no planned model that is seen.

    exceeds
        The approved limits that the plan does not keep, by their names in `Limits`.
    """

    id: str
    use: str
    existing: State | None
    planned: State | None
    approved: Limits
    exceeds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A project before and after.

    existing, planned
        Of its parcels together: the planned ones are those with a planned model.
    approved
        What was approved for the project as a whole.
    exceeds
        As that of a parcel, where every parcel is planned.
    outside
        Buildings of the project that stand on none of its parcels; they are in no sum.
    """

    parcels: tuple[ParcelComparison, ...]
    existing: State | None
    planned: State | None
    approved: Limits
    exceeds: tuple[str, ...]
    outside: int


@dataclass(frozen=True, slots=True)
class _Built:
    """A building in a parcel."""

    outline: shapely.Geometry
    footprint: float
    floor_area: float | None
    height: float | None


@dataclass(frozen=True, slots=True)
class _Model:
    """A planned model, and whether it says anything of green land."""

    version: LayerVersion
    green: bool


def comparison(
    city: City, ledger: Ledger, key: str, project: Project, at: date, known: int | None = None
) -> Comparison:
    """A project's parcels with the buildings it had, against the planned model of each.

    What exists are the buildings recorded for the project by that day, demolished or not, as the twin
    has them; a building is on the parcel that holds its middle. What is planned is what the parcel's
    layer has, if that is seen and of the lifecycle planned.
    """
    existing = _existing(city, ledger, key, at, known)
    middles = [shapely.point_on_surface(one.outline) for one in existing]
    green = [version for version in city.layers.current() if _is_plain(version)]
    models = _models(city, project)
    parcels, taken = [], set[int]()
    for parcel in project.parcels:
        if parcel.geometry is None:
            limits = parcel.approved or Limits()
            parcels.append(ParcelComparison(parcel.id, parcel.use, None, None, limits, ()))
            continue
        shape = outline(parcel.geometry, parcel.id)
        on = [place for place, middle in enumerate(middles) if shapely.intersects(shape, middle)]
        taken.update(on)
        built = [existing[place] for place in on]
        model = models.get(parcel.planned or "")
        parcels.append(_compared(city, parcel, shape, built, green, model))
    return _together(project, parcels, len(existing) - len(taken))


def _existing(city: City, ledger: Ledger, key: str, at: date, known: int | None) -> list[_Built]:
    rows = ledger.buildings(at, known)
    mine = np.flatnonzero(rows.projects == ledger.projects.index(key)).tolist()
    twins = of_rows(city, rows, mine)
    found: dict[tuple[str, str], _Built] = {}
    for place in mine:
        named = rows.layers[place], rows.features[place]
        twin = twins.get(named)
        if twin is not None:
            floors, _ = floor_area_of(twin, float(rows.storeys[place]))
            found[named] = _Built(twin.outline, twin.footprint, floors, twin.height)
    return list(found.values())


def _compared(
    city: City,
    parcel: Parcel,
    shape: shapely.Geometry,
    on: Sequence[_Built],
    green: Sequence[LayerVersion],
    model: _Model | None,
) -> ParcelComparison:
    land = parcel.land_area or float(square_metres([shape])[0])
    present: float | None = _green(city, green, shape, on)
    if not present and not any(map(_classed, green)):
        present = None  # no layer says what is green
    limits = parcel.approved or Limits()
    planned = None
    if model is not None:
        built = [_built(one) for one in buildings_in(city, model.version, shape)]
        plants = _green(city, [model.version], shape, built) if model.green else None
        planned = _state(land, built, plants)
    exceeds = exceeded(planned, limits) if planned else ()
    return ParcelComparison(
        parcel.id, parcel.use, _state(land, on, present), planned, limits, exceeds
    )


def _built(twin: TwinBuilding) -> _Built:
    floors, _ = floor_area_of(twin, None)
    return _Built(twin.outline, twin.footprint, floors, twin.height)


def _state(land: float, built: Sequence[_Built], green: float | None) -> State:
    footprint = sum((one.footprint for one in built), 0.0)
    floors = sum((one.floor_area for one in built if one.floor_area is not None), 0.0)
    return State(
        land, footprint, floors, floors / land,
        max((one.height for one in built if one.height is not None), default=None),
        footprint / land, None if green is None else green / land, len(built),
        sum(one.floor_area is None for one in built),
    )  # fmt: skip


def exceeded(planned: State, approved: Limits) -> tuple[str, ...]:
    """The approved limits that a plan does not keep, beyond what measuring differs by."""
    tolerance = float(twin_table()["tolerance"]["share"])
    found = []
    for name in _UPPER:
        value, most = getattr(planned, name), getattr(approved, name)
        if value is not None and most is not None and value > most * (1 + tolerance):
            found.append(name)
    green, least = planned.green_ratio, approved.green_ratio
    if green is not None and least is not None and green < least * (1 - tolerance):
        found.append("green_ratio")
    return tuple(found)


def _together(project: Project, parcels: Sequence[ParcelComparison], outside: int) -> Comparison:
    approved = Limits(floor_area=project.floor_area_planned, far=project.far)
    planned = _summed([one.planned for one in parcels])
    whole = bool(parcels) and all(one.planned is not None for one in parcels)
    return Comparison(
        tuple(parcels), _summed([one.existing for one in parcels]), planned, approved,
        exceeded(planned, approved) if planned and whole else (), outside,
    )  # fmt: skip


def _summed(states: Sequence[State | None]) -> State | None:
    told = [state for state in states if state is not None]
    if not told:
        return None
    land = sum(one.land_area for one in told)
    footprint, floors = (
        sum(getattr(one, name) for one in told) for name in ("footprint", "floor_area")
    )
    greens = [None if s.green_ratio is None else s.green_ratio * s.land_area for s in told]
    green = None if None in greens else sum(area for area in greens if area is not None)
    return State(
        land, footprint, floors, floors / land,
        max((one.height for one in told if one.height is not None), default=None),
        footprint / land, None if green is None else green / land,
        sum(one.buildings for one in told), sum(one.unknown for one in told),
    )  # fmt: skip


def _models(city: City, project: Project) -> Mapping[str, _Model]:
    """The planned models that a project's parcels name, of those that are seen, by their layers."""
    found = {}
    for layer in {parcel.planned for parcel in project.parcels if parcel.planned}:
        try:
            version = city.layers.get(layer)
        except NotFound:
            continue  # not there, or not for who asks
        if version.about.lifecycle == "planned":
            found[layer] = _Model(version, _has_green(city, version))
    return found


def _is_plain(version: LayerVersion) -> bool:
    """Whether a layer may say what is green now: one of plain shapes of what is there."""
    return version.about.lifecycle == "present" and version.summary.get("kind") == "vector"


def _has_green(city: City, version: LayerVersion) -> bool:
    """Whether a planned model says anything of green land; else there need not be none."""
    if _classed(version):
        return True
    every = city.features.find(version.layer, version.version, Query(), after=None, limit=_ALL)
    return any(is_green(row.feature) for row in every)


def _classed(version: LayerVersion) -> bool:
    """Whether a layer has a class of green land."""
    return bool(set(twin_table()["green"]["classes"]) & set(version.summary["classes"]))


def _green(
    city: City, versions: Iterable[LayerVersion], shape: shapely.Geometry, built: Sequence[_Built]
) -> float:
    """Green land within a shape, m², without what is built on it."""
    box = Query(bbox=tuple(shape.bounds))
    found = [
        row.footprint
        for version in versions
        for row in city.features.find(version.layer, version.version, box, after=None, limit=_ALL)
        if is_green(row.feature) and row.footprint is not None
    ]
    if not found:
        return 0.0
    land = shapely.intersection(shapely.union_all(found), shape)
    bare = shapely.difference(land, shapely.union_all([one.outline for one in built]))
    return float(square_metres([bare])[0])
