"""Two years of the district as a check-up sees it: the layers that only departments keep.

Each year has a folder of its own. What a year found is not perfect: an estate that nobody saw, a path
without a word on it, parks that overlap, a shop entered twice, a care home past the border.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sample_data.district import checkup_flows, checkup_homes, checkup_land, checkup_places
from sample_data.district.communities import communities
from sample_data.district.district import District
from sample_data.district.tables import Table

YEARS = (2025, 2026)


@cache
def layer_table() -> Mapping[str, Any]:
    """`checkup.toml` as it stands."""
    return tomllib.loads(Path(__file__).with_name("checkup.toml").read_text("utf-8"))


def folder_of(year: int) -> str:
    """The folder of a year's layers, beside the other files of the district."""
    return f"checkup-{year}"


def checkup_tables(of: District, year: int) -> dict[str, Table]:
    """The layers of a year by id, in the order in which they are imported."""
    areas, towns = communities(of)
    tracts = checkup_land.population(of, year)
    made = {
        "land": checkup_land.built_up(of, year),
        "land-cover": checkup_land.land_cover(of, year),
        "corridors": checkup_land.corridors(of, year),
        "population": tracts,
        "parks": checkup_places.parks(of, year),
        "activity-sites": checkup_places.activity_sites(of, year),
        "greenways": checkup_land.greenways(of, year),
        "walkways": checkup_land.walkways(of, year),
        "cycleways": checkup_land.cycleways(of, year),
        "utility-tunnels": checkup_land.tunnels(of, year),
        "facilities": checkup_places.facilities(of, areas, year),
        "estates": checkup_homes.estates(of, year),
        "building-survey": checkup_homes.survey(of, year),
        "ponding": checkup_places.ponding(of, year),
        "commutes": checkup_flows.commutes(of, areas, tracts, year),
        "link-speeds": checkup_flows.link_speeds(of, year),
        "water-meters": checkup_flows.water_meters(of, towns, year),
        "sewage": checkup_flows.sewage(of, year),
        "gas-renewal": checkup_flows.gas_renewal(of, year),
        "mains": checkup_flows.mains(of, year),
    }
    assert list(made) == [layer["id"] for layer in layer_table()["layer"]]
    return made


def checkup_manifest(defaults: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The years of the check-up for the manifest: which set, which folder, which layers."""
    return [
        {
            "year": year, "set": layer_table()["set"], "folder": folder_of(year),
            "layers": [
                {
                    "id": layer["id"], "file": f"{folder_of(year)}/{file_of(layer['id'])}",
                    "kind": "vector", "title": f"{layer['zh']} {layer['en']}", "zh": layer["zh"],
                    "en": layer["en"], "crs": "EPSG:4547",
                    "options": {**defaults, "date": f"{year}-06-30", "level": "surface", **layer["about"]},
                }
                for layer in layer_table()["layer"]
            ],
        }
        for year in YEARS
    ]  # fmt: skip


def file_of(layer: str) -> str:
    """The name of a layer's file."""
    return f"{layer.replace('-', '_')}.gpkg"
