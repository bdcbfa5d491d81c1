"""The part of the sample district that a check-up looks at, without relief, pictures and pipes."""

from pathlib import Path

from sample_data.district import files
from sample_data.district.district import district
from sample_data.district.generate import add_checkup
from sample_data.district.intersections import intersections
from sample_data.district.tables import tables

LAYERS = (
    "buildings", "roads", "parcels", "schools", "clinics", "bus_stops", "metro_stations",
    "communities", "towns",
)  # fmt: skip
"""What is there in any year."""


def write_checkup(folder: Path) -> None:
    """Write these tables, two years of the check-up, and the answer key."""
    whole = district(2026)
    base = tables(whole, intersections(whole.main))
    for name in LAYERS:
        files.write_table(folder / f"{name}.gpkg", base[name], whole.plan)
    add_checkup(folder, whole, base)
