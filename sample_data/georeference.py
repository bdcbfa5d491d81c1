"""Where a sample building stands: CGCS2000 / 3-degree Gauss-Kruger CM 114E and its height."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import ifcopenshell
import ifcopenshell.api.georeference
import ifcopenshell.api.pset

Entity = ifcopenshell.entity_instance

# Grid north minus true north at 113.46 E, 23.10 N in EPSG:4547 (degrees).
CONVERGENCE = -0.2119


@dataclass(frozen=True)
class Position:
    """The project origin on the map.

    Easting and northing are EPSG:4547 metres, height is metres in the 1985 national height
    datum (EPSG:5737), rotation is degrees counter-clockwise from grid east to the project's x
    axis, latitude and longitude are CGCS2000 degrees for IfcSite.
    """

    easting: float
    northing: float
    height: float
    rotation: float
    latitude: float
    longitude: float

    def true_north(self) -> tuple[float, float]:
        """Return true north as a direction in the project's x and y."""
        # Grid north is rotated by the convergence from true north, x by the rotation from east.
        angle = radians(90.0 + CONVERGENCE - self.rotation)
        return cos(angle), sin(angle)


def compound_angle(degrees: float) -> tuple[int, int, int, int]:
    """Return degrees, minutes, seconds and millionths of a second, as IfcSite stores angles."""
    millionths = round(degrees * 3600 * 1_000_000)
    seconds, fraction = divmod(millionths, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    whole, minutes = divmod(minutes, 60)
    return whole, minutes, seconds, fraction


def georeference(file: ifcopenshell.file, position: Position, metre: Entity, scale: float) -> None:
    """Write the map conversion and the projected CRS.

    `scale` turns project length units into metres. In IFC2X3 both become property sets of the
    project (buildingSMART User Guide for Geo-referencing in IFC, ePSet_MapConversion), and the
    three map coordinates carry the metre explicitly because the project unit is not the metre.
    """
    ifcopenshell.api.georeference.add_georeferencing(file, name="EPSG:4547")
    crs: dict[str, object] = {
        "Name": "EPSG:4547",
        "Description": "CGCS2000 / 3-degree Gauss-Kruger CM 114E",
        "GeodeticDatum": "EPSG:1043",
        "VerticalDatum": "EPSG:5737",
        "MapProjection": "Gauss-Kruger",
        "MapZone": "CM 114E",
        "MapUnit": "METRE" if file.schema == "IFC2X3" else metre,
    }
    angle = radians(position.rotation)
    conversion = {
        "Eastings": position.easting,
        "Northings": position.northing,
        "OrthogonalHeight": position.height,
        "XAxisAbscissa": round(cos(angle), 12),
        "XAxisOrdinate": round(sin(angle), 12),
        "Scale": scale,
    }
    if file.schema != "IFC2X3":
        ifcopenshell.api.georeference.edit_georeferencing(
            file, projected_crs=crs, coordinate_operation=conversion
        )
        return
    # The api leaves the measure types to guesswork in IFC2X3, so they are spelled out here.
    types = {"Name": "IfcLabel", "Description": "IfcText"}
    real = ("XAxisAbscissa", "XAxisOrdinate", "Scale")
    named = {key: file.create_entity(types.get(key, "IfcIdentifier"), v) for key, v in crs.items()}
    numbers = {
        key: file.create_entity("IfcReal" if key in real else "IfcLengthMeasure", value)
        for key, value in conversion.items()
    }
    for pset in file.by_type("IfcPropertySet"):
        values = {"ePSet_ProjectedCRS": named, "ePSet_MapConversion": numbers}.get(pset.Name)
        if values is None:
            continue
        ifcopenshell.api.pset.edit_pset(file, pset=pset, properties=values)
        for prop in pset.HasProperties:
            if prop.NominalValue.is_a("IfcLengthMeasure"):
                prop.Unit = metre
