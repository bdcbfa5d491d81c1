"""What flows through the district of the check-up: commuters, traffic, water, sewage, gas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from sample_data.district.communities import Area
from sample_data.district.district import District
from sample_data.district.plan import Shape, random
from sample_data.district.tables import Row, Table

MODES = ("walk", "bicycle", "bus", "metro", "car")
FARTHER = 9
"""So many places of work are outside the district, with a quarter of its commuters."""


def commutes(of: District, areas: Sequence[Area], tracts: Table, year: int) -> Table:
    """Lines from where people live to where they work, with how many go which way and how long."""
    rng = random(of.seed, "commutes")
    later = year >= 2026
    lived_in = [area for area in areas if area.population > 300]
    jobs = np.array([float(row["jobs"] or 0) for row in tracts.rows])
    here = rng.choice(len(jobs), 12, replace=False, p=jobs / jobs.sum())
    works = [(shapely.centroid(tracts.shapes[i]), float(jobs[i])) for i in here]
    turns, away = rng.uniform(0, 2 * np.pi, FARTHER), rng.uniform(3_000, 16_000, FARTHER)
    for turn, far in zip(turns, away, strict=True):
        place = shapely.Point(1_000 + far * np.cos(turn), 1_000 + far * np.sin(turn))
        works.append((place, jobs[here].sum() / (3 * FARTHER)))
    share = np.array([n for _, n in works]) / sum(n for _, n in works)
    shapes, rows = [], list[Row]()
    for area in lived_in:
        home = area.shape.representative_point()
        for i, (work, _) in enumerate(works):
            draw = rng.uniform(size=3)
            people = round(area.population * 0.5 * share[i] * (0.6 + 0.8 * draw[0]))
            if people < 5:
                continue
            way = home.distance(work) * 1.3 + 200.0
            near: tuple[float, ...] = (
                (0.55, 0.2, 0.15, 0.0, 0.1) if way < 1_800 else (0.05, 0.15, 0.25, 0.2, 0.35)
            )
            if later:
                near = tuple(p + (0.04 if mode == "metro" else -0.04 if mode == "car" else 0.0) for p, mode in zip(near, MODES, strict=True))  # fmt: skip
            mode = MODES[int(np.searchsorted(np.cumsum(near), draw[1] * 0.999))]
            pace = {"walk": 75.0, "bicycle": 190.0, "bus": 230.0, "metro": 480.0, "car": 390.0}[
                mode
            ]
            wait = {"bus": 9.0, "metro": 11.0, "car": 6.0}.get(mode, 1.0)
            shapes.append(shapely.LineString([home, work]))
            rows.append(
                {"id": f"OD{len(rows) + 1:04d}", "class": "Commute", "commuters": people,
                 "minutes": round(way / pace * (0.9 + 0.3 * draw[2]) + wait, 1),
                 "distance": round(way, 1), "mode": mode, "year": year}
            )  # fmt: skip
    return Table("LineString", shapes, rows)


def link_speeds(of: District, year: int) -> Table:
    """How long it took to drive each street at peak hours and between them."""
    rng = random(of.seed, "link speeds")
    free = {"arterial": 44.0, "collector": 36.0, "local": 24.0}
    shapes, rows = [], list[Row]()
    for segment in of.main.segments:
        draw = rng.uniform(0.8, 1.2)
        for period, slower in (("peak", 0.62 if year < 2026 else 0.58), ("off-peak", 0.9)):
            length = segment.line.length
            seconds = round(length / (free[segment.kind] * slower * draw) * 3.6, 2)
            if seconds <= 0:
                continue
            shapes.append(segment.line)
            rows.append(
                {"id": f"LS{len(rows) + 1:04d}", "name": segment.street.zh, "name_en": segment.street.en,
                 "class": "Road", "length": length, "seconds": seconds, "speed": length / seconds * 3.6,
                 "period": period}
            )  # fmt: skip
    return Table("LineString", shapes, rows)


def water_meters(of: District, towns: Sequence[Area], year: int) -> Table:
    """Water supplied and metered by district metered area in a year; one lost more in 2026."""
    lost = (0.118, 0.091, 0.104) if year < 2026 else (0.081, 0.097, 0.083)
    shapes, rows = [], list[Row]()
    for i, town in enumerate(towns):
        supplied = round(town.population * 0.22 * 365)
        shapes.append(town.shape)
        rows.append(
            {"id": f"DMA-{i + 1}", "name": f"{town.zh}供水分区", "name_en": f"{town.en} metered area",
             "class": "MeteredArea", "supplied": supplied, "metered": round(supplied * (1 - lost[i])), "year": year}
        )  # fmt: skip
    return Table("MultiPolygon", shapes, rows)


def sewage(of: District, year: int) -> Table:
    """Pollutant discharged and collected on both sides of Puxin Avenue in a year."""
    size = of.plan.size
    shapes = [shapely.box(0, 0, 650, size), shapely.box(650, 0, size, size)]
    shares = (0.58, 0.79) if year < 2026 else (0.66, 0.82)
    rows: list[Row] = [
        {"id": f"SD-{i + 1}", "name": f"{zh}污水分区", "name_en": f"{en} sewage district",
         "class": "SewageDistrict", "discharged": given, "collected": round(given * share), "year": year}
        for i, (zh, en, given, share) in enumerate(
            (("西片", "Western", 412_000, shares[0]), ("东片", "Eastern", 951_000, shares[1]))
        )
    ]  # fmt: skip
    return Table("Polygon", shapes, rows)


def gas_renewal(of: District, year: int) -> Table:
    """The old gas mains to renew: half of the local streets, and which were done."""
    rng = random(of.seed, "gas renewal")
    local = [s for s in of.main.segments if s.kind == "local"]
    old, done = rng.uniform(size=(2, len(local)))
    chosen = [(s.line, done[i]) for i, s in enumerate(local) if old[i] < 0.5]
    limit = 0.82 if year >= 2026 else 0.46
    return _pieces("GR", [(line, {"renewed": "yes" if d < limit else "no"}) for line, d in chosen])


def mains(of: District, year: int) -> Table:
    """Municipal mains under arterials and collectors, and which are watched by sensors."""
    rng = random(of.seed, "mains")
    wide = [s.line for s in of.main.segments if s.kind != "local"]
    draws = rng.uniform(size=len(wide))
    limit = 0.41 if year >= 2026 else 0.28
    return _pieces("MA", [(line, {"monitored": "yes" if d < limit else "no"}) for line, d in zip(wide, draws, strict=True)])  # fmt: skip


def _pieces(prefix: str, drawn: Sequence[tuple[Shape, Row]]) -> Table:
    rows: list[Row] = [
        {"id": f"{prefix}{i + 1:04d}", "class": "Pipe", "length": round(line.length, 2), **said}
        for i, (line, said) in enumerate(drawn)
    ]
    return Table("LineString", [line for line, _ in drawn], rows)
