"""What a check-up of the district has to find: an answer key worked out from the shapes as drawn.

It shares nothing with the product: every indicator is a few lines of shapely over whole unions, slow
and plain. Lengths are metres, areas m², of the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import pi, sqrt
from typing import Any

import shapely

from sample_data.district.checkup_truth_reach import doors, edges_of, reached
from sample_data.district.plan import Shape
from sample_data.district.tables import Row, Table

Fits = Callable[[Row], bool]
Sum = tuple[float, float]
"""Numerator and denominator."""
Formula = Callable[[Shape], Sum]
"""Both of a unit."""

BY_COMMUNITY = ("01", "08", "10", "12", "16", "18b", "24", "27a", "28", "36", "h01", "c01")
"""What is told of every community as well: nothing that runs along their borders."""
STREETS = ("快速路", "主干路", "次干路", "支路")
HOMES = ("R", "R1", "R2", "R3", "R4", "RB", "H14")
FLAWS = {
    "h01": "structure_hazard", "h02": "gas_hazard", "h03": "corridor_hazard", "h04": "facade_hazard",
    "h06": "pipes_broken", "h07": "water_fails", "h08": "needs_ageing", "h09": "needs_energy",
    "h10": "needs_digital",
}  # fmt: skip
IN_TIME = {
    "20": ("clinics", ("clinic",), 15), "21a": ("schools", ("primary", "nine-year"), 10),
    "21b": ("schools", ("secondary", "nine-year"), 15),
    "22": ("facilities", ("elderly-care", "elderly-station"), 5), "23a": ("facilities", ("culture",), 15),
    "23b": ("facilities", ("sports",), 15), "23c": ("facilities", ("football",), 15),
    "23d": ("facilities", ("market",), 10), "23e": ("parks", (), 5),
}  # fmt: skip
"""Of what, of which kinds, in how many minutes' walk."""
SCALES = {"02": 1e-6, "03": 1e-6, "11": 1e3, "30": 1e-3, "32": 1e6, "40a": 1e3, "41a": 1e-3}
PLAIN = ("04", "10", "13", "28", "29", "33a", "33b", "36", "38", "39a", "45a", "45b")
"""Neither a share nor in another unit than it is measured in, as are all whose code has a letter first."""


def truth(base: Mapping[str, Table], year: Mapping[str, Table]) -> dict[str, Any]:
    """By code: value, numerator, denominator of the district, and of each community for some.

    `base` are the tables of the district, `year` the layers of a year of the check-up over them.
    """
    key = _Key({name.replace("_", "-"): table for name, table in base.items()} | dict(year))
    areas = key.of("communities")
    return {
        "district": {
            code: _told(code, key.sums(code, key.all), key.surveyed(code, key.all))
            for code in key.codes
        },
        "communities": {
            code: {
                str(row["id"]): _told(code, key.sums(code, shape), key.surveyed(code, shape))
                for shape, row in areas
            }
            for code in BY_COMMUNITY
        },
    }


def _told(code: str, sums: Sum, surveyed: float | None) -> dict[str, float | None]:
    above, below = (float(one) for one in sums)
    scale = SCALES.get(code, 1.0 if code in PLAIN or code[0].isalpha() else 100.0)
    return {
        "value": above * scale / below if below > 0 and surveyed != 0 else None,
        "numerator": above,
        "denominator": below,
        **({} if surveyed is None else {"surveyed": surveyed}),
    }


class _Key:
    """The layers, to be asked for one indicator after the other."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._kept: dict[Any, Any] = {}
        self.all = shapely.union_all(tables["towns"].shapes)
        self._formulas: dict[str, Formula] = {
            "01": lambda u: (self._area("built", u), u.area),
            "02": lambda u: (max(s.intersection(u).area for s, _ in self._land("cluster")), 1),
            "03": lambda u: (sum(s.intersection(self._built.intersection(u)).area for s, r in self.of("population") if _n(r, "density") > 15_000), 1),
            "04": lambda u: (self._count("buildings", u, lambda r: r["use"] == "residential" and _n(r, "height") > 80 and _n(r, "year") >= 2021), 1),
            "05": lambda u: self._part("corridors", u, lambda r: _n(r, "clear_width") >= 100),
            "06": self._green,
            "07": lambda u: self._cover(u, self._around("greenways", 1_000)),
            "08": lambda u: self._cover(u, self._park(2_000), within="built"),
            "09": lambda u: self._cover(u, shapely.union(self._park(400), self._park(400, "activity-sites")), within="built"),
            "10": lambda u: (self._area("parks", u), self._people(u)),
            "11": lambda u: (self._length("roads", self._built.intersection(u), _streets), self._area("built", u)),
            "12": lambda u: (self._area("buildings", self._built.intersection(u)), self._area("built", u)),
            "13": lambda u: (self._spread("buildings", "floor_area", u.intersection(self._union("parcels"))), self._area("parcels", u)),
            "14": lambda u: self._cover(u, self._served("facilities", ("fire-station",), 5, "drive"), "built"),
            "15": lambda u: self._cover(u, self._duty(), "built"),
            "16": lambda u: self._cover(u, self._around("schools", 1_000, lambda r: r["kind"] in ("secondary", "nine-year"))),
            "17": lambda u: self._commuters(self._near_rail(), u),
            "18a": lambda u: self._cover(u, self._around("metro-stations", 800), "built"),
            "18b": lambda u: (self._people(u.intersection(self._around("metro-stations", 800))), self._people(u)),
            "18c": lambda u: (self._people(u.intersection(self._around("metro-stations", 800)), "jobs"), self._people(u, "jobs")),
            "19": lambda u: self._cover(u, self._around("bus-stops", 500), "built"),
            "24": lambda u: self._cover(u, self._around("clinics", 2_000, lambda r: r["kind"] == "hospital")),
            "25": lambda u: self._cover(u, self._everything()),
            "26": self._complete,
            "27a": lambda u: self._with(u, "shop"), "27b": lambda u: self._with(u, "elderly-station"),
            "27c": lambda u: self._with(u, "kindergarten", public="yes"),
            "28": lambda u: (self._missing(u, lambda r: (r["parking_required"], r["parking"])), 1),
            "29": lambda u: (self._missing(u, lambda r: (None if r["parking_required"] is None else -(-_n(r, "parking_required") // 10), r["piles"])), 1),
            "30": lambda u: (self._length("walkways", u, lambda r: r["problem"] not in (None, "none")), 1),
            "31": lambda u: (self._count("estates", u, lambda r: r["renovated"] == "yes"), self._count("estates", u, lambda r: r["to_renovate"] == "yes")),
            "32": lambda u: (self._count("ponding", self._built.intersection(u), lambda r: r["state"] == "open"), self._area("built", u)),
            "33a": lambda u: (self._count("ponding", u, lambda r: r["severity"] == "severe" and r["state"] == "open"), 1),
            "33b": lambda u: (self._count("ponding", u, lambda r: r["severity"] == "severe" and r["state"] == "eliminated"), 1),
            "34a": self._soft, "34b": self._soft,
            "35": lambda u: (self._spread("water-meters", "supplied", u) - self._spread("water-meters", "metered", u), self._spread("water-meters", "supplied", u)),
            "36": lambda u: (self._sites(u, "shelter"), self._people(u)),
            "37": lambda u: (self._spread("sewage", "collected", u), self._spread("sewage", "discharged", u)),
            "38": self._speed,
            "39a": lambda u: (self._commuters(lambda r, _: _n(r, "minutes"), u)),
            "39b": lambda u: self._commuters(lambda r, _: float(_n(r, "minutes") <= 45), u),
            "39c": lambda u: self._commuters(lambda r, _: float(_n(r, "distance") < 5_000), u),
            "40a": lambda u: (self._length("cycleways", self._built.intersection(u)), self._area("built", u)),
            "40b": lambda u: self._commuters(lambda r, _: float(r["mode"] != "car"), u),
            "41a": lambda u: (self._length("utility-tunnels", u), 1),
            "41b": lambda u: (self._length("utility-tunnels", u), self._length("roads", u, _streets)),
            "42": lambda u: self._part("gas-renewal", u, lambda r: r["renewed"] == "yes"),
            "43": lambda u: self._part("mains", u, lambda r: r["monitored"] == "yes"),
            "45a": lambda u: (self._sites(u, "sports", "football"), self._people(u)),
            "45b": lambda u: (self._sites(u, "culture"), self._people(u)),
            "h05": lambda u: (sum(_n(r, "dwellings") for s, r in self.of("building-survey") if r["self_contained"] == "no" and u.intersects(s)), 1),
            "c01": lambda u: (self._lacking(u, 500, "elderly-care", "elderly-station"), 1),
            "c02": lambda u: (self._lacking(u, 500, "nursery"), 1),
            "c03": lambda u: (self._lacking(u, 300, "kindergarten"), 1),
            "c07": lambda u: (self._count("estates", u, lambda r: r["ebike_charging"] == "no"), 1),
            "c08": lambda u: (self._lacking(u, 100), 1),
            "c10": lambda u: (self._count("estates", u, lambda r: r["waste_sorting"] == "no"), 1),
            "c11": lambda u: (self._count("estates", u, lambda r: r["managed"] == "no"), 1),
            "b02": lambda u: (self._bare(u, "sports"), 1), "b03": lambda u: (self._bare(u, "culture"), 1),
        }  # fmt: skip
        self._formulas |= {code: self._flawed(column) for code, column in FLAWS.items()}
        self._formulas |= {code: self._in_time(*asked) for code, asked in IN_TIME.items()}

    @property
    def codes(self) -> list[str]:
        """All indicators of the key."""
        return sorted(self._formulas)

    def sums(self, code: str, unit: Shape) -> Sum:
        """Numerator and denominator of an indicator in a unit."""
        found: Sum = self._formulas[code](unit)
        return found

    def surveyed(self, code: str, unit: Shape) -> float | None:
        """The share of the houses of a unit that somebody looked at; None for what is no survey of houses."""
        if code[0] != "h":
            return None
        if "seen" not in self._kept:
            seen = [s for s, r in self.of("building-survey") if r["surveyed"] == "yes"]
            points = shapely.union_all(seen)
            shapely.prepare(points)
            houses = [s for s, r in self.of("buildings") if r["use"] == "residential"]
            self._kept["seen"] = [
                (s.point_on_surface(), bool(points.intersects(s))) for s in houses
            ]
        here = [found for point, found in self._kept["seen"] if unit.intersects(point)]
        return sum(here) / len(here) if here else 1.0

    def of(self, layer: str) -> list[tuple[Shape, Row]]:
        """A layer as pairs."""
        return list(zip(self._tables[layer].shapes, self._tables[layer].rows, strict=True))

    def _flawed(self, column: str) -> Formula:
        return lambda u: (self._count("building-survey", u, lambda r: r[column] == "yes"), 1)

    def _in_time(self, layer: str, kinds: Sequence[str], minutes: int) -> Formula:
        return lambda u: self._cover(u, self._served(layer, kinds, minutes, "walk"))

    @property
    def _built(self) -> Shape:
        return self._union("built")

    def _land(self, kind: str) -> list[tuple[Shape, Row]]:
        return [(s, r) for s, r in self.of("land") if r["kind"] == kind]

    def _union(self, what: str) -> Shape:
        """All there is of a layer at once: so what overlaps counts once."""
        if what not in self._kept:
            shapes = {
                "built": lambda: [s for s, _ in self._land("built-up")],
                "homes": lambda: [s for s, r in self.of("parcels") if r["land_use"] in HOMES],
            }.get(what, lambda: [s for s, _ in self.of(what)])()
            self._kept[what] = shapely.union_all(shapes)
        return self._kept[what]

    def _area(self, what: str, unit: Shape) -> float:
        return float(self._union(what).intersection(unit).area)

    def _length(self, layer: str, unit: Shape, fits: Fits = lambda _: True) -> float:
        lines = shapely.union_all([s for s, r in self.of(layer) if fits(r)])
        return float(lines.intersection(unit).length)

    def _count(self, layer: str, unit: Shape, fits: Fits) -> int:
        return sum(
            bool(unit.intersects(s.point_on_surface())) for s, r in self.of(layer) if fits(r)
        )

    def _part(self, layer: str, unit: Shape, fits: Fits) -> Sum:
        return self._length(layer, unit, fits), self._length(layer, unit)

    def _spread(self, layer: str, column: str, unit: Shape) -> float:
        shapely.prepare(unit)
        return sum(
            _n(r, column) * (1.0 if unit.covers(s) else s.intersection(unit).area / s.area)
            for s, r in self.of(layer) if unit.intersects(s)
        )  # fmt: skip

    def _people(self, unit: Shape, column: str = "population") -> float:
        return self._spread("population", column, unit)

    def _sites(self, unit: Shape, *kinds: str) -> float:
        here = [(s, r) for s, r in self.of("facilities") if r["kind"] in kinds]
        return sum(_n(r, "site_area") for s, r in here if unit.intersects(s))

    def _around(self, layer: str, radius: float, fits: Fits = lambda _: True) -> Shape:
        return shapely.union_all(
            [s.buffer(radius, quad_segs=64) for s, r in self.of(layer) if fits(r)]
        )

    def _cover(self, unit: Shape, served: Shape, demand: str = "homes", within: str = "") -> Sum:
        asked = self._union(demand).intersection(unit)
        if within:
            asked = asked.intersection(self._union(within))
        return asked.intersection(served).area, asked.area

    def _park(self, least: float, layer: str = "parks") -> Shape:
        large = self._around(layer, 500, lambda r: _n(r, "area") >= 5_000)
        small = self._around(layer, 300, lambda r: least <= _n(r, "area") < 5_000)
        return shapely.union(large, small)

    def _duty(self) -> Shape:
        fire = [(s, 7e6 if r["size"] == "standard" else 4e6) for s, r in self.of("facilities") if r["kind"] == "fire-station"]  # fmt: skip
        return shapely.union_all([s.buffer(sqrt(area / pi), quad_segs=64) for s, area in fire])

    def _served(self, layer: str, kinds: Sequence[str], minutes: float, mode: str) -> Shape:
        asked = (layer, kinds, minutes, mode)
        if asked not in self._kept:
            sites = [
                door
                for s, r in self.of(layer)
                if not kinds or r["kind"] in kinds
                for door in doors(s)
            ]
            self._kept[asked] = reached(edges_of(self._tables["roads"], mode), sites, minutes, mode)
        return self._kept[asked]

    def _everything(self) -> Shape:
        found = self.all
        for code, (layer, kinds, minutes) in IN_TIME.items():
            if code != "23c":  # nobody asks a circle of life for a football pitch
                found = found.intersection(self._served(layer, kinds, minutes, "walk"))
        return found

    def _green(self, unit: Shape) -> Sum:
        new = [r for s, r in self.of("building-survey") if r["green"] is not None and _n(r, "year") >= 2021 and unit.intersects(s)]  # fmt: skip
        return sum(_n(r, "floor_area") for r in new if r["green"] == "yes"), sum(
            _n(r, "floor_area") for r in new
        )

    def _soft(self, unit: Shape) -> Sum:
        soft = shapely.union_all([s for s, r in self.of("land-cover") if r["permeable"] == "yes"])
        return soft.intersection(self._built).intersection(unit).area, self._area("built", unit)

    def _commuters(self, counts: Callable[[Row, Shape], float], unit: Shape) -> Sum:
        trips = [(s, r) for s, r in self.of("commutes") if unit.intersects(shapely.get_point(s, 0))]
        return sum(counts(r, s) * _n(r, "commuters") for s, r in trips), sum(
            _n(r, "commuters") for _, r in trips
        )

    def _near_rail(self) -> Callable[[Row, Shape], float]:
        stations = self._union("metro-stations")
        return lambda _, line: float(
            max(stations.distance(shapely.get_point(line, end)) for end in (0, -1)) <= 800
        )

    def _speed(self, unit: Shape) -> Sum:
        peak = [(s, r) for s, r in self.of("link-speeds") if r["period"] == "peak"]
        share = [(r, s.intersection(unit).length / s.length) for s, r in peak]
        return sum(_n(r, "length") * part for r, part in share), sum(
            _n(r, "seconds") * part for r, part in share
        ) * 1000 / 3600

    def _missing(self, unit: Shape, both: Callable[[Row], tuple[Any, Any]]) -> float:
        told = [both(r) for s, r in self.of("estates") if unit.intersects(s.point_on_surface())]
        known = [(need, have) for need, have in told if need is not None and have is not None]
        return float(sum(max(0.0, need - have) for need, have in known))

    def _near(self, place: Shape, layer: str, kinds: Sequence[str], distance: float) -> bool:
        return any(
            place.distance(s) <= distance
            for s, r in self.of(layer)
            if not kinds or r["kind"] in kinds
        )

    def _lacking(self, unit: Shape, distance: float, *kinds: str) -> int:
        layer = "facilities" if kinds else "activity-sites"
        here = [s for s, _ in self.of("estates") if unit.intersects(s.point_on_surface())]
        return sum(not self._near(s, layer, kinds, distance) for s in here)

    def _bare(self, unit: Shape, kind: str) -> int:
        here = [s for s, _ in self.of("towns") if unit.intersects(s.point_on_surface())]
        return sum(not self._near(s, "facilities", (kind,), 0) for s in here)

    def _with(self, unit: Shape, kind: str, **more: str) -> Sum:
        here = [s for s, _ in self.of("communities") if unit.intersects(s.point_on_surface())]
        sites = [
            s
            for s, r in self.of("facilities")
            if r["kind"] == kind and all(r[k] == v for k, v in more.items())
        ]
        return sum(any(area.intersects(s) for s in sites) for area in here), len(here)

    def _complete(self, unit: Shape) -> Sum:
        here = [s for s, _ in self.of("communities") if unit.intersects(s.point_on_surface())]
        asked = (("facilities", "elderly-station"), ("facilities", "nursery"), ("facilities", "kindergarten"),
                 ("clinics", "clinic"), ("facilities", "shop"), ("activity-sites", "activity-site"))  # fmt: skip
        return sum(
            all(self._near(s, layer, (kind,), 0) for layer, kind in asked) for s in here
        ), len(here)


def _n(row: Row, column: str) -> float:
    value = row[column]
    assert isinstance(value, int | float)
    return float(value)


def _streets(row: Row) -> bool:
    return row["road_class"] in STREETS
