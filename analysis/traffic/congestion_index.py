"""What congestion is measured by: definitions as `congestion.toml` has them, and what they make of sums.

Everything is made of sums: the metres that vehicles drove, the seconds they took for it, and the
seconds they would have taken with nobody in the way. Sums of bins or roads may be added; ratios
never are.
"""

import itertools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.traffic.roads import RoadClass

Figure = Literal["dtp", "tti", "speed"]
ROAD_CLASSES: tuple[RoadClass, ...] = get_args(RoadClass)
_KMH = 3.6


@dataclass(frozen=True, slots=True)
class State:
    """How a road is: what it is called, and the colour it is drawn in."""

    id: str
    title: Mapping[str, str]
    color: str


@dataclass(frozen=True, slots=True)
class Definition:
    """One way to tell how congested a road is.

    bounds
        (k + 1,) of the figure, or (k,) where the last band has no end; of `speed` there is one for
        each class of road, (k - 1,) falling.
    index
        At the bounds; None where there is none. Beyond the last bound it grows up to `most`.
    states
        k of them.
    """

    id: str
    title: Mapping[str, str]
    figure: Figure
    states: tuple[State, ...]
    source: str
    confidence: str
    bounds: tuple[float, ...] = ()
    index: tuple[float, ...] | None = None
    most: float | None = None
    classes: Mapping[str, tuple[float, ...]] | None = None

    def indices(self, measured: "Ratios") -> Floats:
        """The index, (n,), NaN where there is none."""
        if self.index is None:
            return np.full(len(measured.dtp), np.nan)
        if self.most is None:
            figure = measured.dtp if self.figure == "dtp" else measured.tti
            return np.interp(figure, self.bounds, self.index)
        # In the share of delay, so that it has an end where nothing moves.
        shares = [1.0 - 1.0 / bound for bound in self.bounds]
        return np.interp(measured.dtp, [*shares, 1.0], [*self.index, self.most])

    def states_of(self, measured: "Ratios", classes: NDArray[np.int8]) -> NDArray[np.int8]:
        """The place of each state, (n,), among `states`; -1 where nothing is known.

        classes
            (n,) the place of each road's class in `ROAD_CLASSES`.
        """
        if self.classes is not None:
            table = np.array([self.classes[name] for name in ROAD_CLASSES])
            found = (measured.speeds[:, None] * _KMH < table[classes]).sum(axis=1)
            known = ~np.isnan(measured.speeds)
        else:
            figure = measured.dtp if self.figure == "dtp" else measured.tti
            inner = np.array(self.bounds[1 : len(self.states)])
            found = np.searchsorted(inner, figure, side="right")
            known = ~np.isnan(figure)
        return np.where(known, found, -1).astype(np.int8)


@dataclass(frozen=True, eq=False, slots=True)
class Ratios:
    """What sums come to.

    tti, dtp
        (n,) travel time beside free flow (行程时间比), infinite where nothing moved, and the share of
        it that is delay (延误时间比), never below 0. NaN where nobody was.
    speeds, free_speeds
        (n,) metres per second: all metres by all seconds.
    """

    tti: Floats
    dtp: Floats
    speeds: Floats
    free_speeds: Floats


def ratios(metres: Floats, seconds: Floats, free_seconds: Floats) -> Ratios:
    """What vehicle-metres, vehicle-seconds and free vehicle-seconds, (n,) each, come to.

    TTI = Σt/Σt_free, DTP = Σdelay/Σt = 1 − 1/TTI, speed = Σl/Σt. (GB/T 33171-2016, 3.8 and 3.10)

    >>> found = ratios(np.array([500.0]), np.array([100.0]), np.array([50.0]))
    >>> found.tti.tolist(), found.dtp.tolist(), found.speeds.tolist()
    ([2.0], [0.5], [5.0])
    """
    moved = (metres > 0) & (free_seconds > 0)
    there = seconds > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        tti = np.where(there, np.where(moved, seconds / free_seconds, np.inf), np.nan)
        speeds = np.where(there, np.maximum(metres, 0.0) / seconds, np.nan)
        free = np.where(moved, metres / free_seconds, np.nan)
        dtp = np.where(there, np.maximum(1.0 - 1.0 / tti, 0.0), np.nan)
    return Ratios(tti, dtp, speeds, free)


def definition_named(name: str | None) -> Definition:
    """A definition by its id, the usual one for None; raises `InvalidInput`."""
    known = definitions()
    if name is None:
        return known[_file()["usual"]]
    if name not in known:
        raise InvalidInput(f"there is no congestion index {name!r}; give one of {', '.join(known)}")
    return known[name]


@cache
def definitions() -> dict[str, Definition]:
    """Every definition by its id, the usual one first."""
    return defined(_file())


def defined(rules: Mapping[str, Any]) -> dict[str, Definition]:
    """The definitions of a rule file; raises `InvalidInput` for bands that do not fit its states."""
    states = {
        name: State(name, {"en": one["en"], "zh": one["zh"]}, one["color"])
        for name, one in rules["state"].items()
    }
    found = {name: _definition(name, one, states) for name, one in rules["definition"].items()}
    return dict(sorted(found.items(), key=lambda item: item[0] != rules["usual"]))


def counted() -> dict[str, Any]:
    """Whose time counts, and from when on it says something: `counted` of the rule file."""
    found: dict[str, Any] = _file()["counted"]
    return found


def _definition(name: str, rules: Mapping[str, Any], states: Mapping[str, State]) -> Definition:
    classes = rules.get("classes")
    index = rules.get("index")
    found = Definition(
        name, rules["title"], rules["figure"], tuple(states[one] for one in rules["states"]),
        rules["source"], rules["confidence"], tuple(rules.get("bounds", ())),
        None if index is None else tuple(index), rules.get("most"),
        None if classes is None else {one: tuple(bounds) for one, bounds in classes.items()},
    )  # fmt: skip
    bands = [found.bounds] if classes is None else [tuple(-x for x in b) for b in classes.values()]
    if not all(_fits(band, found) for band in bands):
        raise InvalidInput(
            f"congestion index {name!r}: its bounds have to grow (those of speeds to fall), one for "
            "each state, and the index has one value for each bound; correct the rule file"
        )
    return found


def _fits(band: Sequence[float], found: Definition) -> bool:
    growing = all(one < other for one, other in itertools.pairwise(band))
    states = len(found.states)
    sizes = (states - 1,) if found.figure == "speed" else (states, states + 1)
    indexed = found.index is None or len(found.index) == len(band)
    return growing and len(band) in sizes and indexed


@cache
def _file() -> dict[str, Any]:
    text = files("analysis.traffic").joinpath("congestion.toml").read_text("utf-8")
    return tomllib.loads(text)
