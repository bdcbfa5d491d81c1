"""Which things still report, and which have fallen silent."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from analysis.observed_rules import availability_rules
from cim_core.mesh import Floats
from cim_core.observations import StreamIds, Streams, Times

State = Literal["ok", "stale", "silent", "never"]
STATES: tuple[State, ...] = get_args(State)
"""By the numbers they have in columns, the best first."""

Codes = NDArray[np.int8]
_NEVER = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many milliseconds without an observation each datastream, (n,), is stale or silent."""

    stale: Floats
    silent: Floats

    def states(self, newest: Times, now: int) -> Codes:
        """The state of each, (n,), a number in `STATES`; newest (n,), -1 for one never observed.

        >>> patience = Patience(np.array([30e3, 30e3]), np.array([120e3, 120e3]))
        >>> [STATES[code] for code in patience.states(np.array([1_000, -1]), 61_000)]
        ['stale', 'never']
        """
        age = (now - newest).astype(np.float64)
        codes = (age > self.stale).astype(np.int8) + (age > self.silent).astype(np.int8)
        return np.where(newest < 0, np.int8(_NEVER), codes)


def patience(streams: Streams) -> Patience:
    """How long each datastream, (n,) in their order, may say nothing."""
    rules = availability_rules()
    every = np.array(
        [streams.by_id[stream].every or np.nan for stream in streams.ids.tolist()], np.float64
    )
    stale = np.maximum(rules.stale_intervals * every, rules.stale_least)
    silent = np.maximum(rules.silent_intervals * every, rules.silent_least)
    regular = ~np.isnan(every)
    return Patience(
        1000.0 * np.where(regular, stale, rules.stale_without),
        1000.0 * np.where(regular, silent, rules.silent_without),
    )


def of_things(streams: Streams, codes: Codes) -> dict[int, State]:
    """The state of each thing by its number: that of the best of its datastreams.

    A device that sends anything at all is alive; which of its datastreams are not stands with them.
    """
    best: dict[int, int] = {}
    for stream, code in zip(streams.ids.tolist(), codes.tolist(), strict=True):
        thing = streams.by_id[stream].thing
        best[thing] = min(code, best.get(thing, _NEVER))
    return {thing: STATES[code] for thing, code in best.items()}


@dataclass(frozen=True, slots=True)
class Absent:
    """A thing that does not report as it should: its name, class, layer, feature and state.

    updated
        When it was last observed, milliseconds since 1970; None: never.
    """

    id: int
    name: str
    thing_class: str
    layer: str
    feature: str | None
    state: State
    updated: int | None


@dataclass(frozen=True, slots=True)
class Availability:
    """How many things are in each state, in all and by class, and those that are not ok.

    streams
        How many datastreams they have.
    """

    things: Mapping[State, int]
    by_class: Mapping[str, Mapping[State, int]]
    streams: int
    absent: Sequence[Absent]


def newest_times(streams: StreamIds, seen: StreamIds, times: Times) -> Times:
    """The times, (n,), of datastreams, (n,), among those seen, (k,), at times, (k,); -1 where none is."""
    found: Times = np.full(len(streams), -1, np.int64)
    if len(seen):
        found[np.searchsorted(streams, seen)] = times
    return found


def availability(streams: Streams, newest: Times, now: int) -> Availability:
    """Which of the things of some datastreams report, by when each, (n,), was last observed.

    The longest silent come first, and before them those that were never observed.
    """
    codes = patience(streams).states(newest, now)
    states = of_things(streams, codes)
    updated: defaultdict[int, int] = defaultdict(lambda: -1)
    any_stream = {}
    for stream, time in zip(streams.ids.tolist(), newest.tolist(), strict=True):
        known = streams.by_id[stream]
        any_stream[known.thing] = known
        updated[known.thing] = max(updated[known.thing], time)
    absent = [
        Absent(
            thing, known.thing_name, known.thing_class, known.layer, known.feature, states[thing],
            updated[thing] if updated[thing] >= 0 else None,
        )
        for thing, known in any_stream.items()
        if states[thing] != "ok"
    ]  # fmt: skip
    by_class: defaultdict[str, Counter[State]] = defaultdict(Counter)
    for thing, known in any_stream.items():
        by_class[known.thing_class][states[thing]] += 1
    return Availability(
        Counter(states.values()),
        {name: by_class[name] for name in sorted(by_class)},
        len(streams),
        sorted(absent, key=lambda one: (one.updated or -1, one.id)),
    )
