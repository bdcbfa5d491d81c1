"""Parks, the hills and the green along the water."""

from __future__ import annotations

import numpy as np
import shapely

from sample_data.district import forms
from sample_data.district.draft import Draft, building, fitted
from sample_data.district.outlines import facing_south, largest, polygons
from sample_data.district.plan import Shape, Use


def park(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Lawns, a path around, paths across, and a tea house."""
    number = draft.parcel(block, "G1", use)
    draft.mark("meadow", block)
    inner = largest(block.buffer(-13.0))
    if inner.is_empty:
        return
    soft = largest(inner.buffer(-9.0).buffer(9.0))
    ring = shapely.LineString(soft.exterior.coords)
    draft.mark("path", ring.buffer(1.9).intersection(block))
    _across(soft, rng, draft)
    house = fitted(inner, forms.comb(22.0, 15.0, 6.0, 2), facing_south(block), 8.0)
    if house is not None and block.area > 12_000:
        draft.mark("square", house.buffer(9.0).intersection(block))
        draft.build(number, inner, [building(house, "commercial", "temple", 1, 6.5, 2016, "木 timber", number, f"{use.zh}茶楼", f"{use.en} Tea House")], 1.0)  # fmt: skip


def _across(soft: Shape, rng: np.random.Generator, draft: Draft) -> None:
    """Winding paths between points of the outer path."""
    ring = soft.exterior
    for i in range(max(2, round(soft.area / 9_000))):
        a = ring.interpolate((i * 0.37 + 0.05) % 1.0, normalized=True)
        b = ring.interpolate((i * 0.37 + 0.45) % 1.0, normalized=True)
        t = np.linspace(0.0, 1.0, 30)
        sway = np.sin(t * 2 * np.pi) * rng.uniform(8.0, 22.0) * np.sin(t * np.pi)
        dx, dy = b.x - a.x, b.y - a.y
        long = max(1.0, float(np.hypot(dx, dy)))
        line = np.column_stack([a.x + dx * t - dy / long * sway, a.y + dy * t + dx / long * sway])
        path = shapely.LineString(line).buffer(1.3)
        draft.mark("path", path.intersection(soft))


def hill(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Wooded hills."""
    draft.parcel(block, "G1", use)
    draft.mark("forest", block)


def green(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """A green between street and water."""
    for part in polygons(block, 120.0):
        draft.parcel(part, "G2", use)
        draft.mark("meadow", part)
