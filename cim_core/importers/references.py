"""In which reference system a file is: what the person says, else what the file says."""

from cim_core.errors import InvalidInput
from cim_core.layer import Placement, Source
from cim_core.reference import Reference, reference


def reference_of(source: Source, placement: Placement, stated: str | None) -> Reference:
    """The system of a file's coordinates; `stated` is what the file says, None or empty if nothing.

    The options `vertical_unit` and `vertical_crs` say what its heights are. The city's own
    pipeline is used for the city's own system. Raises `InvalidInput` where nobody says anything.
    """
    crs = placement.crs or stated
    if not crs:
        raise InvalidInput(
            f"{source.filename} does not say in which reference system its coordinates are; "
            "say it with --crs, as in --crs EPSG:4547"
        )
    return reference(
        crs,
        geoid_separation=placement.geoid_separation,
        vertical_unit=source.options.get("vertical_unit"),
        vertical_crs=source.options.get("vertical_crs"),
        pipeline=placement.pipeline if crs == placement.city_crs else None,
    )
