"""What logs of signal controllers say of greens and detectors, by bins of time.

Event codes are those of Indiana's logger: 1 green begins, 8 yellow begins, 10 red begins, 4 gap out,
5 max out, 6 force off, 81 detector off, 82 detector on. (Purdue University, "Indiana Traffic Signal Hi
Resolution Data Logger Enumerations", 2012.) The definitions are those of the open-source package
ShawnStrasser/atspm, so that figures may be compared. Times are milliseconds since 1970.
"""

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.observations import Times
from cim_core.traffic.moving import ControllerEvents, take

Use = Literal["presence", "advance", "yellow-red", "count"]
"""What a detector is for: at the stop line, well before it, just behind it, or to count."""
Ending = Literal["gap-out", "max-out", "force-off"]

GREEN, YELLOW, RED, OFF, ON = 1, 8, 10, 81, 82
ENDINGS: dict[int, Ending] = {4: "gap-out", 5: "max-out", 6: "force-off"}

Codes = NDArray[np.int64]


class Detector(NamedTuple):
    """A detector of a device, by its number, the phase it belongs to, and what it is for."""

    device: str
    number: int
    phase: int
    use: Use


class Actuations(NamedTuple):
    """How often a detector went on in the bin that begins at `start`."""

    start: int
    device: str
    detector: int
    total: int


class Terminations(NamedTuple):
    """How often greens of a phase ended in which way."""

    start: int
    device: str
    phase: int
    ending: Ending
    total: int


class Arrivals(NamedTuple):
    """How many came to a phase, and which share of them while it was green."""

    start: int
    device: str
    phase: int
    total: int
    green_share: float


class SplitFailures(NamedTuple):
    """Greens of a phase: their mean length (s), mean occupancies, and how many did not serve all."""

    start: int
    device: str
    phase: int
    green: float
    green_share: float
    red_share: float
    failures: int


class YellowRed(NamedTuple):
    """How many passed so long after red began (s, negative before), and what was shown to them."""

    start: int
    device: str
    phase: int
    light: int
    offset: float
    total: int


def actuations(events: ControllerEvents, bin_ms: int) -> list[Actuations]:
    """Each detector's actuations in each bin from the first to the last that has any, also none."""
    on = take(events, events.codes == ON)
    found: list[Actuations] = []
    if not len(on):
        return found
    starts = on.times // bin_ms * bin_ms
    every = range(int(starts.min()), int(starts.max()) + 1, bin_ms)
    for device, rows in _by_device(on):
        for detector in np.unique(on.parameters[rows]).tolist():
            own = starts[rows][on.parameters[rows] == detector]
            at, counts = np.unique(own, return_counts=True)
            totals = dict(zip(at.tolist(), counts.tolist(), strict=True))
            found += [Actuations(start, device, detector, totals.get(start, 0)) for start in every]
    return sorted(found)


def terminations(events: ControllerEvents, bin_ms: int) -> list[Terminations]:
    """How greens ended."""
    ended = take(events, np.isin(events.codes, list(ENDINGS)))
    found: list[Terminations] = []
    for device, rows in _by_device(ended):
        starts = ended.times[rows] // bin_ms * bin_ms
        table = np.column_stack([starts, ended.parameters[rows], ended.codes[rows]])
        for (start, phase, code), total in _counted(table):
            found.append(Terminations(start, device, phase, ENDINGS[code], total))
    return sorted(found)


def arrivals(
    events: ControllerEvents, detectors: Sequence[Detector], bin_ms: int
) -> list[Arrivals]:
    """Actuations of advance detectors, and their share on green; of bins in which any was on green."""
    latency = round(1000 * _rules()["arrivals"]["latency"])
    found: list[Arrivals] = []
    for device, phase, own in _phases(detectors, "advance"):
        rows = take(events, _of(events, device))
        at = _actuated(rows, own) - latency
        state = _Lights(rows, phase).at(at)
        for start in np.unique(at // bin_ms * bin_ms).tolist():
            here = at // bin_ms * bin_ms == start
            green = int((state[here] == GREEN).sum())
            if green:
                total = int(here.sum())
                found.append(Arrivals(start, device, phase, total, green / total))
    return sorted(found)


def yellow_red(
    events: ControllerEvents, detectors: Sequence[Detector], bin_ms: int
) -> list[YellowRed]:
    """When vehicles passed before and after red began, in cycles that are whole."""
    rules = _rules()["yellow_red"]
    found: list[YellowRed] = []
    for device, phase, own in _phases(detectors, "yellow-red"):
        rows = take(events, _of(events, device))
        at = np.sort(_actuated(rows, own) - round(1000 * rules["latency"]))
        lights = _Lights(rows, phase)
        cycle, state = lights.cycle(at), lights.at(at)
        red = lights.whole_cycles()
        known = (cycle > 0) & (red[cycle] >= 0)
        after = (at[known] - red[cycle[known]]) / (1000 * rules["step"])
        # Halves go away from zero.
        offset = np.sign(after) * np.floor(np.abs(after) + 0.5) * rules["step"]
        starts = red[cycle[known]] // bin_ms * bin_ms
        kept = offset >= rules["earliest"]
        steps = np.round(offset / rules["step"]).astype(np.int64)
        table = np.column_stack([starts, state[known], steps])[kept]
        for (start, light, step), total in _counted(table):
            found.append(YellowRed(start, device, phase, light, step * rules["step"], total))
    return sorted(found)


def split_failures(
    events: ControllerEvents, detectors: Sequence[Detector], bin_ms: int
) -> list[SplitFailures]:
    """Greens that did not serve all who waited, by the detectors at the stop line.

    A phase is occupied while any of its detectors is. A green counts in the bin in which its first
    seconds of red are over.
    """
    rules = _rules()["split_failure"]
    red_ms = round(1000 * rules["red_time"])
    found: list[SplitFailures] = []
    for device, phase, own in _phases(detectors, "presence"):
        rows = take(events, _of(events, device))
        occupied = _Occupied(rows, own, round(1000 * rules["together"]))
        greens = _Lights(rows, phase).greens()
        end = int(rows.times.max()) // bin_ms * bin_ms + bin_ms if len(rows) else 0
        greens = greens[(greens[:, 0] >= occupied.first) & (greens[:, 2] + red_ms < end)]
        if not len(greens):
            continue
        begin, yellow, red = greens.T
        length = yellow - begin
        share = occupied.between(begin, yellow) / np.maximum(length, 1)
        red_share = occupied.between(red, red + red_ms) / red_ms
        failed = (share >= rules["green_share"]) & (red_share >= rules["red_share"])
        starts = (red + red_ms) // bin_ms * bin_ms
        for start in np.unique(starts).tolist():
            here = starts == start
            found.append(
                SplitFailures(
                    start, device, phase, float(length[here].mean() / 1000),
                    float(share[here].mean()), float(red_share[here].mean()), int(failed[here].sum()),
                )
            )  # fmt: skip
    return sorted(found)


class _Lights:
    """The lights of a phase: events in order of time, numbered by cycles that begin with green."""

    def __init__(self, events: ControllerEvents, phase: int) -> None:
        own = (events.parameters == phase) & np.isin(events.codes, [GREEN, YELLOW, RED])
        order = np.lexsort((events.codes[own], events.times[own]))
        self.times: Times = events.times[own][order]
        self.codes: Codes = events.codes[own][order].astype(np.int64)
        self.cycles: Codes = np.cumsum(self.codes == GREEN)
        # In a cycle nothing goes back: after red there is no yellow before the next green.
        self.states: Codes = np.maximum.accumulate(self.cycles * 100 + self.codes) % 100

    def at(self, times: Times) -> Codes:
        """What was shown: 1, 8 or 10; 0 before anything is known."""
        last = np.searchsorted(self.times, times, side="right")
        return np.append(0, self.states)[last]

    def cycle(self, times: Times) -> Codes:
        """The number of the cycle, 0 before the first green."""
        last = np.searchsorted(self.times, times, side="right")
        return np.append(0, self.cycles)[last]

    def whole_cycles(self) -> Times:
        """(cycles + 1,) When red began in each; -1 where not exactly one green, yellow and red is."""
        red = np.full(int(self.cycles.max(initial=0)) + 1, -1, np.int64)
        greens = self.greens()
        red[np.searchsorted(self.times[self.codes == GREEN], greens[:, 0]) + 1] = greens[:, 2]
        return red

    def greens(self) -> Times:
        """(n, 3) When green, yellow and red began, of the cycles that have each once."""
        count = int(self.cycles.max(initial=0)) + 1
        told = [np.bincount(self.cycles[self.codes == code], minlength=count) for code in (GREEN, YELLOW, RED)]  # fmt: skip
        whole = np.logical_and.reduce([counts == 1 for counts in told])
        kept = whole[self.cycles] & (self.cycles > 0)
        parts = [self.times[kept & (self.codes == code)] for code in (GREEN, YELLOW, RED)]
        return np.column_stack(parts)


class _Occupied:
    """When any of some detectors was on."""

    def __init__(self, events: ControllerEvents, detectors: Sequence[int], together: int) -> None:
        changes = [_changes(events, number, together) for number in detectors]
        times = np.concatenate([at for at, _ in changes])
        steps = np.concatenate([step for _, step in changes])
        at, place = np.unique(times, return_inverse=True)
        on = np.cumsum(np.bincount(place, weights=steps, minlength=len(at))) > 0
        self.first = int(at[0]) if len(at) else np.iinfo(np.int64).max
        """Before this nothing is known of them."""
        self._at = at
        self._sum: Floats = np.append(0.0, np.cumsum(np.diff(at) * on[:-1])) if len(at) else at

    def between(self, start: Times, end: Times) -> Floats:
        """For how long they were on between moments (n,), milliseconds."""
        both = np.interp(np.stack([start, end]), self._at, self._sum)
        found: Floats = both[1] - both[0]
        return found


def _changes(events: ControllerEvents, number: int, together: int) -> tuple[Times, Codes]:
    """When a detector went on (1) and off (-1), with what the log left out between the two."""
    own = (events.parameters == number) & np.isin(events.codes, [ON, OFF])
    order = np.argsort(events.times[own], kind="stable")
    at, on = events.times[own][order], events.codes[own][order] == ON
    if not len(at):
        return at, np.empty(0, np.int64)
    gap = np.diff(at)
    twice = np.flatnonzero(on[1:] & on[:-1] & (gap > together)) + 1
    at_once = np.flatnonzero(on[1:] & on[:-1] & (gap <= together)) + 1
    never = np.flatnonzero(~on[1:] & ~on[:-1]) + 1
    middle = at[1:] - gap // 2
    times = [at, middle[twice - 1], at[at_once], middle[never - 1]]
    steps = [
        np.where(on, 1, -1), np.full(len(twice), -1), np.full(len(at_once), -1), np.ones(len(never)),
    ]  # fmt: skip
    if not on[0]:
        times.append(at[:1] - 1)
        steps.append(np.ones(1))
    return np.concatenate(times), np.concatenate(steps).astype(np.int64)


def _phases(detectors: Sequence[Detector], use: Use) -> Iterator[tuple[str, int, list[int]]]:
    """Devices and phases with their detectors of a use."""
    found: dict[tuple[str, int], list[int]] = {}
    for one in detectors:
        if one.use == use:
            found.setdefault((one.device, one.phase), []).append(one.number)
    for (device, phase), numbers in sorted(found.items()):
        yield device, phase, numbers


def _actuated(events: ControllerEvents, detectors: Sequence[int]) -> Times:
    found: Times = events.times[(events.codes == ON) & np.isin(events.parameters, detectors)]
    return found


def _of(events: ControllerEvents, device: str) -> NDArray[np.bool_]:
    names = list(events.devices.names)
    code = names.index(device) if device in names else -2
    own: NDArray[np.bool_] = events.devices.codes == code
    return own


def _by_device(events: ControllerEvents) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for code in np.unique(events.devices.codes).tolist():
        yield events.devices.names[code], events.devices.codes == code


def _counted(table: NDArray[np.int64]) -> Iterator[tuple[tuple[int, ...], int]]:
    rows, counts = np.unique(table, axis=0, return_counts=True)
    for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
        yield tuple(row), count


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(files("analysis.traffic").joinpath("controller.toml").read_text("utf-8"))
