"""Schools, the college, the hospital and the sports centre."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from sample_data.district import forms
from sample_data.district.draft import Draft, Planned, building, fitted
from sample_data.district.outlines import facing_south, largest, placed
from sample_data.district.plan import Floats, Shape, Use

House = tuple[str, str, str, Floats, int, float]
"""Name in Chinese and English, use, form, floors, height of a floor (m)."""


def _fill(
    block: Shape, use: Use, draft: Draft, code: str, form: str, houses: Sequence[House],
    year: int, marks: Sequence[tuple[str, Floats]], gap: float, *, track: float = 0.0,
) -> None:  # fmt: skip
    """Place a running track, houses and courts of a campus, each where it finds room."""
    number = draft.parcel(block, code, use)
    draft.mark("garden", block.buffer(-1.0))
    ground = draft.ring(largest(block.buffer(-7.0)), use)
    inner = largest(block.buffer(-12.0))
    free = inner.difference(ground)
    turn = facing_south(block)
    if track:
        free = free.difference(_track(free, turn, track, draft))
    plans: list[Planned] = []
    for zh, en, kind, shape, floors, storey in houses:
        outline = fitted(free, shape, turn, 6.0, (free.bounds[0], free.bounds[3]))
        if outline is None:
            continue
        draft.mark("paving", outline.buffer(5.0, join_style="mitre").intersection(inner))
        plans.append(building(outline, kind, form, floors, floors * storey + 1.5, year, "框架 frame", number, f"{use.zh}{zh}", f"{use.en} {en}"))  # fmt: skip
        free = free.difference(outline.buffer(gap, join_style="mitre"))
    for kind, shape in marks:
        outline = fitted(free, shape, turn, 5.0)
        if outline is not None:
            draft.mark(kind, outline)
            free = free.difference(outline.buffer(4.0))
    draft.build(number, inner, plans, 4.0)


def _track(free: Shape, turn: float, size: float, draft: Draft) -> Shape:
    """Mark the largest running track that fits, the long side north to south or else across."""
    for scale in (size, size * 0.8, size * 0.62, size * 0.5):
        for quarter in (0.0, 90.0):
            outer = forms.stadium(84.4 * scale, 46.3 * scale)
            for corner in ((free.bounds[2], free.bounds[1]), (free.bounds[0], free.bounds[1])):
                spot = fitted(free, outer, turn + quarter, 6.0, corner)
                if spot is None:
                    continue
                x, y = spot.centroid.x, spot.centroid.y
                draft.mark("track", spot)
                draft.mark("turf", placed(forms.stadium(84.4 * scale, 36.5 * scale), x, y, turn + quarter))  # fmt: skip
                draft.mark("pitch", placed(forms.bar(60 * scale, 96 * scale), x, y, turn + quarter))
                return spot.buffer(8.0)
    return shapely.Polygon()


COURTS = [("court", forms.bar(28.0, 15.0))] * 6


def school(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Bars of classrooms, a hall, a canteen and a running track."""
    floors = 4 if "小学" in use.zh else 5
    houses: list[House] = [
        ("教学楼", "Teaching Block", "education", forms.comb(86, 46, 12, 3), floors, 3.9),
        ("实验楼", "Science Block", "education", forms.comb(56, 36, 11, 2), floors, 3.9),
        ("体育馆", "Gym", "education", forms.rounded(44, 32, 5), 2, 7.0),
        ("图书馆", "Library", "education", forms.ellipse(34, 28), 3, 4.2),
        ("食堂", "Canteen", "education", forms.bar(36, 20), 2, 4.8),
        ("宿舍", "Dormitory", "residential", forms.slab(4, 12.0, 13.0), 6, 3.3),
        ("宿舍二栋", "Dormitory 2", "residential", forms.slab(4, 12.0, 13.0), 6, 3.3),
    ]
    year = int(rng.integers(1998, 2020))
    _fill(block, use, draft, "A33", "school", houses, year, COURTS, 12.0, track=0.98)


def college(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """A campus at the foot of the hill."""
    houses: list[House] = [
        ("图书馆", "Library", "education", forms.rounded(58, 50, 5), 8, 4.5),
        ("主教学楼", "Main Building", "education", forms.comb(110, 56, 15, 4), 6, 4.0),
        ("工程中心", "Engineering Centre", "education", forms.letter_h(64, 50, 17), 6, 4.2),
        ("实训楼", "Workshops", "education", forms.comb(72, 42, 14, 2), 4, 4.8),
        ("行政楼", "Administration", "education", forms.bar(50, 18), 8, 3.9),
        ("礼堂", "Auditorium", "education", forms.triangle(46), 2, 8.0),
        ("食堂", "Canteen", "education", forms.bar(48, 28), 2, 5.0),
    ]
    halls: list[House] = [
        (f"宿舍{i + 1}栋", f"Hall {i + 1}", "residential", forms.slab(4, 12.5, 14.0), 9, 3.3)
        for i in range(9)
    ]
    _fill(block, use, draft, "A31", "school", [*houses, *halls], int(rng.integers(2003, 2012)), COURTS, 14.0, track=1.0)  # fmt: skip


def hospital(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """An inpatient tower, an outpatient building and what belongs to them."""
    houses: list[House] = [
        ("门诊楼", "Outpatient Building", "medical", forms.comb(78, 44, 16, 3), 5, 4.5),
        ("住院楼", "Inpatient Tower", "medical", forms.letter_h(66, 30, 15), 19, 3.9),
        ("医技楼", "Diagnostics", "medical", forms.bar(54, 24), 6, 4.5),
        ("急诊楼", "Emergency", "medical", forms.bar(34, 20), 3, 4.5),
        ("感染楼", "Infectious Diseases", "medical", forms.bar(30, 16), 3, 4.2),
        ("行政楼", "Administration", "medical", forms.bar(36, 15), 6, 3.9),
    ]
    marks = [("helipad", forms.ellipse(22, 22)), ("pool", forms.rounded(26, 10, 3))]
    _fill(block, use, draft, "A51", "hospital", houses, int(rng.integers(2009, 2020)), marks, 13.0)


def sports(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """An arena, a swimming hall, a track and courts."""
    houses: list[House] = [
        ("体育馆", "Arena", "sports", forms.ellipse(76, 62), 2, 12.0),
        ("游泳馆", "Swimming Hall", "sports", forms.rounded(52, 34, 4), 2, 8.0),
        ("全民健身馆", "Fitness Hall", "sports", forms.rounded(40, 28, 6), 3, 6.0),
    ]
    _fill(block, use, draft, "A4", "dome", houses, int(rng.integers(2010, 2022)), COURTS, 12.0, track=1.0)  # fmt: skip
