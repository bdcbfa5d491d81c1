"""What lies below the streets of the district: six networks, as surveyors write them down."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from sample_data.district.district import District
from sample_data.district.pipes_book import Book, deeper
from sample_data.district.pipes_courses import Road, Roads, roads
from sample_data.district.pipes_drains import sewage, storm
from sample_data.district.pipes_mains import Manner, Net, laid, served
from sample_data.district.plan import random
from sample_data.district.relief import Relief

PREFIXES = {
    "water": "JS", "storm": "YS", "sewage": "WS", "gas": "RQ", "power": "DL", "telecom": "TX",
}  # fmt: skip
"""The networks and the letters their point numbers begin with."""
BELOW_DUCTS = 0.8
"""How far the floor of a hand well lies below the tops of the ducts (m)."""


@cache
def pipes_table() -> dict[str, Any]:
    """What was decided by hand of the pipes."""
    return tomllib.loads(Path(__file__).with_name("pipes.toml").read_text("utf-8"))


def pipes(of: District, ground: Relief) -> dict[str, Net]:
    """Lay the six networks of a district, by name."""
    table = pipes_table()
    streets = roads(of)
    houses = served(of, streets)
    nets = {
        name: Net(name, of, table, Book(letters, ground), houses)
        for name, letters in PREFIXES.items()
    }
    sewage(nets["sewage"], streets, storm(nets["storm"], streets))
    deeper(nets["storm"].book, ["雨水井"], 0.3)
    deeper(nets["storm"].book, ["雨水箅"], 0.1)
    deeper(nets["sewage"].book, ["污水井", "泵站"])
    _water(nets["water"], streets)
    _gas(nets["gas"], streets)
    _power(nets["power"], streets)
    _telecom(nets["telecom"], streets)
    for name in ("power", "telecom"):
        deeper(nets[name].book, ["人孔井", "手孔井"], BELOW_DUCTS)
    for net in nets.values():
        net.book.name_features(of.plan.size)
    return nets


def _water(net: Net, streets: Roads) -> None:
    def series(size: str) -> str:
        return "water_small" if size in ("DN50", "DN100") else "water"

    manner = Manner(series, lambda *_: {}, entry="水表", valves=True, hydrants=True)
    laid(net, streets, manner)


def _gas(net: Net, streets: Roads) -> None:
    def more(road: Road, size: str, _: int) -> dict[str, str]:
        low = road.kind == "lane" or size == "DN50"
        return {"压力": "低压" if low else "中压A"}

    laid(net, streets, Manner(lambda _: "gas", more, entry="燃气表", valves=True, lane="调压箱"))


def _power(net: Net, streets: Roads) -> None:
    def more(road: Road, size: str, year: int) -> dict[str, str]:
        return {"电压": "0.4kV" if road.kind == "lane" or size == "1×1φ110" else "10kV", **_holes(net, size, year)}  # fmt: skip

    laid(net, streets, Manner(lambda _: "power", more, "人孔井", "手孔井", "分支箱", "管块"))


def _telecom(net: Net, streets: Roads) -> None:
    def more(_: Road, size: str, year: int) -> dict[str, str]:
        return _holes(net, size, year)

    laid(net, streets, Manner(lambda _: "telecom", more, "人孔井", "手孔井", "分线箱", "管块"))


def _holes(net: Net, size: str, year: int) -> dict[str, str]:
    """How many ducts there are and how many have cables in them."""
    if "×" not in size:
        return {"总孔数": "", "已用孔数": "", "电缆条数": "1"}
    columns, rows = size.split("φ", maxsplit=1)[0].split("×")
    count = int(columns) * int(rows)
    rng = random(net.of.seed, f"holes {net.name} {size} {year}")
    used = int(rng.integers(1, count + 1))
    return {"总孔数": str(count), "已用孔数": str(used), "电缆条数": str(used)}
