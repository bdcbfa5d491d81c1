"""The homes of the check-up: housing estates as their census has them, and the survey of houses."""

from __future__ import annotations

import numpy as np
import shapely

from sample_data.district.communities import residents
from sample_data.district.district import District
from sample_data.district.draft import Building, Parcel
from sample_data.district.plan import random
from sample_data.district.tables import Row, Table, standing

UNSURVEYED = "听泉山庄"
"""The estate where nobody let the surveyors in."""
OLD = 2000
"""Who was built by the end of it is old."""
FLAWS = {
    "structure_hazard": (0.05, 0.02), "gas_hazard": (0.09, 0.05), "corridor_hazard": (0.16, 0.1),
    "facade_hazard": (0.1, 0.12), "pipes_broken": (0.12, 0.07), "water_fails": (0.06, 0.03),
    "needs_ageing": (0.34, 0.22), "needs_energy": (0.4, 0.33), "needs_digital": (0.45, 0.2),
}  # fmt: skip
"""How many old houses have each flaw in 2025 and 2026; of newer ones a fifth of that."""
DWELLING = 85.0


def homes_of(of: District) -> list[tuple[Parcel, list[Building]]]:
    """The parcels that are housing estates, with the residential buildings on each."""
    by_parcel: dict[int, list[Building]] = {}
    for house in standing(of):
        if house.use == "residential":
            by_parcel.setdefault(house.parcel, []).append(house)
    return [
        (parcel, by_parcel[i])
        for i, parcel in enumerate(of.parcels)
        if parcel.code[0] in "RH" and parcel.outline.area > 5_000 and i in by_parcel
    ]


def estates(of: District, year: int) -> Table:
    """Housing estates; of one nothing is known but its homes, of another not how many piles it has."""
    rng = random(of.seed, "estates")
    later = year >= 2026
    shapes, rows = [], list[Row]()
    for i, (parcel, houses) in enumerate(homes_of(of)):
        draw = rng.uniform(size=8)
        built = int(np.median([house.year for house in houses]))
        households = round(sum(residents(house) for house in houses) / 2.7)
        old = built <= OLD
        needs = old and parcel.code != "H14"
        done = needs and draw[0] < (0.62 if later else 0.35)
        required = round(households * (0.4 if old else 1.0))
        parking = round(required * (0.45 + draw[1] * (0.6 if old else 0.8)))
        piles = round(parking * 0.15 * draw[2]) + (round(parking * 0.04) if later else 0)
        known: Row = {
            "to_renovate": "yes" if needs else "no", "renovated": "yes" if done else "no",
            "parking": parking + (round(draw[7] * 12) if later else 0), "parking_required": required,
            "piles": None if i == 6 and not later else piles,
            "ebike_charging": "yes" if draw[3] < (0.8 if later else 0.55) else "no",
            "managed": "no" if draw[4] < (0.2 if parcel.code in ("H14", "R3") else 0.05) or (old and draw[4] < 0.3) else "yes",
            "waste_sorting": "yes" if draw[5] < (0.95 if later else 0.8) else "no",
        }  # fmt: skip
        if parcel.use.zh == UNSURVEYED:
            known = dict.fromkeys(known)
        shapes.append(parcel.outline)
        rows.append(
            {"id": f"EST-{i + 1:02d}", "name": parcel.use.zh, "name_en": parcel.use.en,
             "class": "ResidentialArea", "households": households, "built": built, **known}
        )  # fmt: skip
    return Table("Polygon", shapes, rows)


def survey(of: District, year: int) -> Table:
    """What was found in every house of the estates; those of one are there, but were not seen."""
    rng = random(of.seed, "survey")
    later = int(year >= 2026)
    numbers = {id(house): f"B{i + 1:05d}" for i, house in enumerate(standing(of))}
    shapes, rows = [], list[Row]()
    for parcel, houses in homes_of(of):
        for house in houses:
            draw = rng.uniform(size=len(FLAWS) + 2)
            often = 1.0 if house.year <= OLD else 0.2
            known: Row = {
                name: "yes" if chance < shares[later] * often else "no"
                for (name, shares), chance in zip(FLAWS.items(), draw, strict=False)
            }
            alone = parcel.code == "R3" and draw[-2] < (0.3 if later else 0.45)
            known |= {
                "self_contained": "no" if alone else "yes",
                "green": "yes" if house.year >= 2021 and draw[-1] < 0.7 else "no",
            }
            floors = round(house.outline.area * house.floors, 1)
            seen = parcel.use.zh != UNSURVEYED
            shapes.append(shapely.point_on_surface(house.outline))
            rows.append(
                {"id": f"SV{len(rows) + 1:05d}", "class": "SurveyedBuilding", "building": numbers[id(house)],
                 **(known if seen else dict.fromkeys(known)), "floor_area": floors, "year": house.year,
                 "dwellings": max(1, round(floors / DWELLING)), "surveyed": "yes" if seen else "no"}
            )  # fmt: skip
    return Table("Point", shapes, rows)
