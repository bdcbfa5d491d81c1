"""Renewal as OGC API – Features: projects and parcels of a day as flat features for GIS clients."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import shapely

from analysis.renewal.projects import ProjectStanding
from analysis.renewal.standing import campaign
from analysis.renewal.twin_areas import TwinAreas, floor_areas
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.feature import Scalar
from cim_core.renewal.documents import Limits
from cim_core.renewal.lights import city_lights
from cim_core.renewal.outlines import outline
from server.describe import GEOJSON, link
from server.renewal.asked import CHINA, parse_day, parse_known, today

ROOT = "/renewal/ogc"
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"

CollectionId = Literal["projects", "parcels"]
_TITLES: Mapping[CollectionId, tuple[str, str]] = {
    "projects": ("Renewal projects", "Projects with their stage, light and rates on a day"),
    "parcels": ("Parcels of renewal projects", "Parcels with their use and approved limits"),
}
_OF_PROJECT = (
    "name", "type", "mode", "town", "village", "owner", "entity", "partner", "lead", "template",
    "land_area", "floor_area_existing", "floor_area_planned", "far", "investment",
)  # fmt: skip
_LIMITS = Limits.__struct_fields__
PROPERTIES: Mapping[CollectionId, Sequence[str]] = {
    "projects": (
        *_OF_PROJECT, "approval_number", "approval_date", "stage", "light", "households_due",
        "households_signed", "signing_rate", "share_planned", "share_actual", "points", "buildings",
        "buildings_demolished", "floor_area_demolished_reported", "floor_area_demolished_twin",
        "orders_open", "orders_overdue", "version",
    ),
    "parcels": (
        "project", "project_name", "town", "light", "parcel", "use", "land_area",
        *(f"approved_{name}" for name in _LIMITS), "planned_layer",
    ),
}  # fmt: skip
"""What features say, and can be asked for by."""


@dataclass(frozen=True, slots=True)
class Row:
    """A feature: its id, its outline in degrees if it has one, and its properties."""

    id: str
    outline: shapely.Geometry | None
    properties: Mapping[str, Scalar]

    def document(self) -> dict[str, Any]:
        """As GeoJSON has it."""
        shape = self.outline
        found: dict[str, Any] = {
            "type": "Feature",
            "id": self.id,
            "geometry": None if shape is None else shapely.geometry.mapping(shape),
            "properties": dict(self.properties),
        }
        return found if shape is None else {**found, "bbox": list(shape.bounds)}


def collection_id(text: str) -> CollectionId:
    """Which collection is asked for; raises `NotFound`."""
    for name in _TITLES:
        if name == text:
            return name
    raise NotFound(f"there is no collection {text[:80]!r} here; take projects or parcels")


def landing(title: str) -> dict[str, Any]:
    """The landing page."""
    return {
        "title": title,
        "description": "Urban renewal: projects and parcels (OGC API – Features)",
        "links": [
            link(ROOT, "self"),
            link("/openapi.json", "service-desc", "application/vnd.oai.openapi+json;version=3.1"),
            link("/docs", "service-doc", "text/html"),
            link(f"{ROOT}/conformance", "conformance"),
            link(f"{ROOT}/collections", "data"),
        ],
    }


def collection_document(city: City, name: CollectionId) -> dict[str, Any]:
    """A collection with its extent in space and time."""
    title, description = _TITLES[name]
    shapes = [row.outline for row in rows_of(city, name, today(city)) if row.outline is not None]
    box = shapely.total_bounds(shapes).tolist() if shapes else None
    span = city.renewal.ledger().span
    base = f"{ROOT}/collections/{name}"
    return {
        "id": name,
        "title": title,
        "description": description,
        "itemType": "feature",
        "crs": [_CRS84],
        "extent": {
            "spatial": {"bbox": [box] if box else [], "crs": _CRS84},
            "temporal": {
                "interval": [[f"{span[0]}T00:00:00Z" if span else None, None]],
                "trs": _GREGORIAN,
            },
        },
        "links": [
            link(base, "self"),
            link(f"{base}/items", "items", GEOJSON),
            link(f"{base}/items?f=geojson", "enclosure", GEOJSON, "all of it as a file"),
        ],
    }


def rows_of(city: City, name: CollectionId, at: date) -> list[Row]:
    """The features of a collection on a day, by id."""
    stood = campaign(city.renewal.ledger(), at, rules=city_lights(city.folder)).projects
    if name == "parcels":
        return [row for project in stood for row in _parcels(project)]
    areas = floor_areas(city, city.renewal.ledger(), at)
    return [_project(project, areas.get(project.id)) for project in stood]


def _project(one: ProjectStanding, areas: TwinAreas | None) -> Row:
    document, approval = one.document, one.document.get("approval") or {}
    boundary = document.get("boundary")
    found: dict[str, Scalar] = {
        **{name: document.get(name) for name in _OF_PROJECT},
        "approval_number": approval.get("number"), "approval_date": approval.get("date"),
        "stage": one.stage, "light": one.light, "households_due": one.signing.due,
        "households_signed": one.signing.signed, "signing_rate": one.signing.rate,
        "share_planned": one.share_planned, "share_actual": one.share_actual, "points": one.points,
        "buildings": sum(one.buildings.values()),
        "buildings_demolished": None if areas is None else sum(
            building.demolished for building in areas.by_building.values()
        ),
        "floor_area_demolished_reported": one.floor_area_demolished_reported,
        "floor_area_demolished_twin": None if areas is None else round(areas.demolished, 2),
        "orders_open": one.orders.open, "orders_overdue": one.orders.overdue, "version": one.version,
    }  # fmt: skip
    return Row(one.id, outline(boundary, "boundary") if boundary else None, found)


def _parcels(one: ProjectStanding) -> Iterator[Row]:
    for parcel in one.document.get("parcels", ()):
        approved, geometry = parcel.get("approved") or {}, parcel.get("geometry")
        found: dict[str, Scalar] = {
            "project": one.id, "project_name": one.document["name"], "town": one.town,
            "light": one.light, "parcel": parcel["id"], "use": parcel["use"],
            "land_area": parcel.get("land_area"),
            **{f"approved_{name}": approved.get(name) for name in _LIMITS},
            "planned_layer": parcel.get("planned"),
        }  # fmt: skip
        # No project's id has a colon, so no two parcels share one.
        yield Row(
            f"{one.id}:{parcel['id']}", outline(geometry, "parcel") if geometry else None, found
        )


def chosen(
    rows: Sequence[Row],
    name: CollectionId,
    box: tuple[float, float, float, float] | None,
    wanted: Mapping[str, str],
) -> list[Row]:
    """The features that touch a box, degrees, and have some properties; raises `InvalidInput`."""
    for key in wanted:
        if key not in PROPERTIES[name]:
            raise InvalidInput(
                f"{key[:80]} is neither a parameter nor a property of {name}; ask by one of "
                f"{', '.join(PROPERTIES[name])}"
            )
    area = None if box is None else _area(*box)
    return [
        row
        for row in rows
        if all(_same(row.properties[key], value) for key, value in wanted.items())
        and (area is None or (row.outline is not None and shapely.intersects(area, row.outline)))
    ]


def _area(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    """A box, which where west lies beyond east goes over the date line."""
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.union(
        shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)
    )


def _same(value: Scalar, wanted: str) -> bool:
    if isinstance(value, int | float):
        try:
            return float(value) == float(wanted)
        except ValueError:
            return False
    return (value or "") == wanted


def parse_datetime(city: City, text: str | None) -> date:
    """As of which day: a day, a moment, or the end of an interval (RFC 3339); raises `InvalidInput`.

    Without an end it is today.
    """
    if text is None:
        return today(city)
    ends = [_moment(part) for part in text.split("/")]
    if len(ends) > 2 or (len(ends) == 2 and ends[0] and ends[1] and ends[0] > ends[1]):
        raise InvalidInput(
            f"datetime={text[:80]} is no time; write a day, a moment or an interval of two with / "
            "between them, as in datetime=2026-03-31"
        )
    return ends[-1] or today(city)


def _moment(text: str) -> date | None:
    """A day; None for an open end."""
    if text in ("", ".."):
        return None
    if "T" not in text:
        return parse_day("datetime", text)
    return datetime.fromtimestamp(parse_known("datetime", text) / 1000, CHINA).date()


def time_stamp(city: City) -> str:
    """When an answer was made (RFC 3339)."""
    now = datetime.fromtimestamp(city.renewal.file.now() / 1000, UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
