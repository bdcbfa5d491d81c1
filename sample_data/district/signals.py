"""What the things of the district observed: a month every ten minutes, its last two days by the minute.

Times are those of a nominal month that ends at midnight (UTC+8); whoever brings it in shifts it by
whole days, so that mornings stay mornings. Values are plausible, no more: courses over the day, weather, use,
noise of devices; and faults, gaps, a gas leak and two rain storms, which `EVENTS` name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sample_data.district.plan import Floats, random
from sample_data.district.things import Thing

END = 1_769_788_800_000
"""The end of the nominal month, 2026-01-31T00:00+08:00, milliseconds since 1970."""
DAYS = 30
FINE_DAYS = 2
"""So many days at the end are by the minute."""

_MINUTE, _DAY = 60_000, 86_400_000
_HOUR = 3_600_000.0

EVENTS: Mapping[str, tuple[float, float]] = {
    "rain": (15.0, 2.5), "rain before": (15.5 - 9 * 24, 2.0), "leak": (9.6, 1.2), "leak again": (20.2, 0.8),
}  # fmt: skip
"""When it happens, hours from the beginning of the last day, and how long it lasts, hours."""

LEAKING = "RQ-0017"
SILENT = ("LD-0044", "HJ-0031", "TC-0012", "GL-0020")
"""Things that have said nothing for the last 30 hours."""
STUCK = ("HJ-0008/pm25", "SW-0021/water-level", "GS-0013/tilt")
"""Datastreams that have told the same value for five days."""
DARK = ("LD-0010", "LD-0087", "LD-0133")
"""Lamps that have not been burning for a week."""

_GAPS = 40
"""So many datastreams miss some hours."""


@dataclass(frozen=True)
class Times:
    """When it was observed.

    at
        (n,) int64, milliseconds since 1970.
    hour, day
        (n,) the hour of the day there, 0 to 24, and days before the end.
    """

    at: np.ndarray
    hour: Floats
    day: Floats

    def during(self, event: str) -> Floats:
        """How far through an event each moment is, 0 to 1; NaN outside."""
        begin, hours = EVENTS[event]
        since = (self.at - (END - _DAY) - begin * _HOUR) / (hours * _HOUR)
        return np.where((since >= 0) & (since <= 1), since, np.nan)


def times() -> Times:
    """All moments of the month."""
    fine = END - FINE_DAYS * _DAY
    coarse = np.arange(END - DAYS * _DAY, fine, 10 * _MINUTE)
    at = np.concatenate([coarse, np.arange(fine, END, _MINUTE)])
    local = at + 8 * 3_600_000
    return Times(at, (local % _DAY) / _HOUR, (END - at) / _DAY)


def write_observations(path: Path, things: list[Thing], seed: int) -> None:
    """Write everything as Parquet: datastream, time (milliseconds), value; by datastream."""
    when = times()
    keys, at, values = [], [], []
    for thing in things:
        for code in thing.properties:
            key = f"{thing.code}/{code}"
            rng = random(seed, f"observed {key}")
            kept = _kept(thing, when, rng)
            keys.append((key, int(kept.sum())))
            at.append(when.at[kept])
            values.append(_course(thing, code, when, rng)[kept])
    names = pa.DictionaryArray.from_arrays(
        pa.array(np.repeat(np.arange(len(keys), dtype=np.int32), [n for _, n in keys])),
        pa.array([key for key, _ in keys]),
    )
    table = pa.table(
        {
            "datastream": names, "time": np.concatenate(at),
            "value": np.concatenate(values).astype(np.float64),
        }
    )  # fmt: skip
    pq.write_table(table, path, compression="zstd", row_group_size=1 << 20)


def _kept(thing: Thing, when: Times, rng: np.random.Generator) -> np.ndarray:
    """What was not lost: single reports are, some hours now and then, and what silent things say."""
    kept = rng.random(len(when.at)) > 0.002
    if rng.random() < _GAPS / 1_200:
        begin = rng.uniform(1.5, DAYS - 1)
        kept &= ~((when.day < begin) & (when.day > begin - rng.uniform(0.1, 0.9)))
    if thing.code in SILENT:
        kept &= when.day > 1.25
    return kept


def _course(thing: Thing, code: str, when: Times, rng: np.random.Generator) -> Floats:
    values = _COURSES[code](thing, when, rng)
    if f"{thing.code}/{code}" in STUCK:
        values = np.where(when.day < 5, values[when.day < 5][:1], values)
    digits = {"trapped": 0, "occupancy": 1, "pressure": 4, "water-level": 3, "tilt": 2, "ch4": 2}
    rounded: Floats = np.round(values, digits.get(code, 1))
    return rounded


def _noise(when: Times, rng: np.random.Generator, size: float) -> Floats:
    found: Floats = rng.normal(0.0, size, len(when.at))
    return found


def _slow(when: Times, rng: np.random.Generator, size: float) -> Floats:
    """Weather and the like: some waves of a day and a half to nine days."""
    found = np.zeros(len(when.at))
    for period in (1.6, 2.9, 4.3, 8.7):
        found += size / 2 * np.sin(2 * np.pi * (when.day / period + rng.random()))
    return found


def _daily(when: Times, peak: float) -> Floats:
    """1 at the peak hour, -1 twelve hours from it."""
    course: Floats = np.cos((when.hour - peak) / 24 * 2 * np.pi)
    return course


def _burst(when: Times, event: str) -> Floats:
    """0 outside an event, rising and falling within it, 1 at most."""
    course: Floats = np.nan_to_num(np.sin(np.pi * when.during(event)))
    return course


def _wet(when: Times) -> Floats:
    return _burst(when, "rain") + 0.5 * _burst(when, "rain before")


def _after(when: Times, hours: float) -> Floats:
    """What the rain leaves, draining with a time constant."""
    found = np.zeros(len(when.at))
    for event, size in (("rain", 1.0), ("rain before", 0.5)):
        begin, lasts = EVENTS[event]
        since = (when.at - (END - _DAY)) / _HOUR - begin
        filling = size * np.clip(since / lasts, 0, 1)
        found = np.maximum(found, filling * np.exp(-np.clip(since - lasts, 0, None) / hours))
    return found


def _vibration(_: Thing, when: Times, rng: np.random.Generator) -> Floats:
    busy = np.clip(0.5 + 0.5 * np.sin((when.hour - 7) / 24 * 4 * np.pi), 0, 1)
    runs = rng.random(len(when.at)) < 0.15 + 0.6 * busy
    return np.abs(2 + runs * rng.gamma(4, 2.2, len(when.at)) + _noise(when, rng, 0.4))


def _trapped(thing: Thing, when: Times, rng: np.random.Generator) -> Floats:
    found = np.zeros(len(when.at))
    if int(thing.code[-4:]) % 10 == 3:  # twelve lifts stop once a day, each at its own hour
        hour = rng.uniform(0, 24)
        found[(when.hour >= hour) & (when.hour < hour + 0.3) & (when.day < 2)] = 1.0
    return found


def _ch4(thing: Thing, when: Times, rng: np.random.Generator) -> Floats:
    base = np.abs(0.6 + _noise(when, rng, 0.25))
    if thing.kind == "gas" and abs(int(thing.code[-4:]) - int(LEAKING[-4:])) <= 2:
        share = 1.0 if thing.code == LEAKING else 0.22
        base += share * (62 * _burst(when, "leak") + 34 * _burst(when, "leak again"))
    return np.clip(base, 0, 100)


def _water_level(thing: Thing, when: Times, rng: np.random.Generator) -> Floats:
    if thing.kind == "gallery":
        return np.abs(0.05 + 0.1 * _after(when, 9.0) + _noise(when, rng, 0.004))
    depth = rng.uniform(0.25, 0.6)
    return np.abs(depth + rng.uniform(0.8, 1.9) * _after(when, 3.0) + _noise(when, rng, 0.01))


def _ponding(thing: Thing, when: Times, rng: np.random.Generator) -> Floats:
    low = rng.random() < 0.3
    deep = rng.uniform(12, 34) if low else rng.uniform(0, 6)
    return np.clip(deep * np.clip(_after(when, 1.1) * 1.6 - 0.6, 0, None), 0, None)


def _occupancy(thing: Thing, when: Times, rng: np.random.Generator) -> Floats:
    homes = int(thing.code[-4:]) % 2 == 0
    course = -_daily(when, 14.0) if homes else _daily(when, 14.0)
    return np.clip(58 + 34 * course + _slow(when, rng, 3) + _noise(when, rng, 1.5), 0, 100)


def _power(thing: Thing, when: Times, rng: np.random.Generator) -> Floats:
    on = (when.hour > 18.3) | (when.hour < 6.4)
    dimmed = (when.hour > 0.5) & (when.hour < 5.5)
    burning = on & ~((thing.code in DARK) & (when.day < 7))
    return np.where(burning, np.where(dimmed, 75, 150) + _noise(when, rng, 2), 0.8)


def _site_hours(when: Times) -> Floats:
    return ((when.hour > 7.5) & (when.hour < 18.5)).astype(np.float64)


def _pm25(thing: Thing, when: Times, rng: np.random.Generator) -> Floats:
    dust = 26 * _site_hours(when) if thing.kind == "site" else 0.0
    air = 34 + _slow(when, random(1, "air"), 16) + 7 * _daily(when, 8.0) + dust
    return np.clip(
        air * (1 - 0.6 * np.clip(_after(when, 6.0), 0, 1)) + _noise(when, rng, 3), 2, None
    )


def _sound(thing: Thing, when: Times, rng: np.random.Generator) -> Floats:
    works = 13 * _site_hours(when) if thing.kind == "site" else 0.0
    return 54 + rng.uniform(-4, 4) + 6 * _daily(when, 15.0) + works + _noise(when, rng, 1.6)


def _crane(_: Thing, when: Times, rng: np.random.Generator) -> Floats:
    lifts = rng.random(len(when.at)) < 0.4
    return _site_hours(when) * lifts * np.clip(rng.normal(52, 11, len(when.at)), 5, 99)


def _traffic(when: Times) -> Floats:
    return np.clip(0.35 + 0.4 * _daily(when, 13) + 0.3 * np.exp(-(((when.hour - 8.2) / 1.2) ** 2)), 0, 1.2)  # fmt: skip


_COURSES: Mapping[str, Callable[[Thing, Times, np.random.Generator], Floats]] = {
    "vibration": _vibration,
    "trapped": _trapped,
    "ch4": _ch4,
    "o2": lambda _, when, rng: 20.8 + _noise(when, rng, 0.05),
    "h2s": lambda _, when, rng: np.abs(0.4 + _noise(when, rng, 0.2)),
    "air-temperature": lambda thing, when, rng: (
        (17 + _slow(when, random(1, "warmth"), 3) + 3.4 * _daily(when, 14.5) - 2 * _wet(when))
        if thing.kind != "gallery"
        else 21 + 0.3 * _slow(when, random(1, "warmth"), 3)
    )
    + _noise(when, rng, 0.2),
    "water-level": _water_level,
    "pressure": lambda _, when, rng: 0.2 - 0.015 * _daily(when, 19.0) + _noise(when, rng, 0.001),
    "soil-moisture": lambda _, when, rng: (
        rng.uniform(14, 24) + 16 * _after(when, 60.0) + _noise(when, rng, 0.2)
    ),
    "tilt": lambda _, when, rng: np.abs(rng.uniform(0.1, 1.4) + _noise(when, rng, 0.01)),
    "power": _power,
    "occupancy": _occupancy,
    "strain": lambda _, when, rng: 90 + 70 * _traffic(when) + 12 * _daily(when, 15) + _noise(when, rng, 6),
    "deflection": lambda _, when, rng: 3 + 6 * _traffic(when) + _noise(when, rng, 0.4),
    "acceleration": lambda _, when, rng: np.abs(4 + 11 * _traffic(when) + _noise(when, rng, 1.5)),
    "ponding": _ponding,
    "rain": lambda _, when, rng: np.clip(17 * _wet(when) * rng.uniform(0.8, 1.2, len(when.at)), 0, None),
    "pm25": _pm25,
    "noise": _sound,
    "crane-load": _crane,
}  # fmt: skip
