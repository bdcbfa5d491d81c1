"""Observations as entities: which of them are asked for, in which order, and how many there are.

What a filter says of times, results and datastreams is looked up in columns, and only what is left is
asked of one observation after the other. Pages go on where the last one ended, so that neither memory
nor time grows with how far somebody has read.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.errors import InvalidInput
from cim_core.observations import LAST_TIME, Observations, StreamIds, Streams, joined
from cim_core.store.observed import Observed
from server.sensorthings.entities import Entities, Id, Item
from server.sensorthings.evaluate import Evaluation, Look
from server.sensorthings.expression import Expression, Path
from server.sensorthings.ordering import Ordering, rank
from server.sensorthings.times import Span
from server.sensorthings.where import Key, Where, key_of

_BY_TIME = Path(("phenomenonTime",))
_RESULT = Path(("result",))

_MOST_LOOKED = 2_000_000
"""Observations that one question may look at."""
_MOST_ONE_BY_ONE = 200_000
"""Of these such that each has to be asked itself; a second of work or two."""
_CHUNK = 1 << 16
_TELLING = frozenset({"result", "phenomenonEnd", "feature"})
"""What of a row stands beside its columns."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was asked for; more where there is more, and from which on, if that is known."""

    items: Sequence[Item]
    more: bool
    last: Key | None = None


class Readings:
    """The observations of one question."""

    def __init__(
        self, entities: Entities, streams: Streams, observed: Observed, evaluation: Evaluation,
        look: Callable[[Item], Look],
    ) -> None:  # fmt: skip
        self._entities = entities
        self._streams = streams
        self._observed = observed
        self._evaluation = evaluation
        self._look = look
        self._looked = self._asked = 0
        self._newest: dict[int, Item] | None = None

    def get(self, number: Id) -> Item | None:
        """One observation by its id, which is its datastream and its time."""
        key = key_of(number)
        if key is None or key[1] not in self._streams.by_id:
            return None
        time, stream = key
        found = self._observed.rows(np.array([stream], np.int64), time, time + 1, oldest=1)
        return self.item(found, 0) if len(found) else None

    def newest(self, datastream: Id) -> Item | None:
        """The newest observation of a datastream; asked for all datastreams at once."""
        if self._newest is None:
            found = self._observed.latest(self._streams.ids)
            items = (self.item(found, row) for row in range(len(found)))
            self._newest = {int(str(item.link("Datastreams"))): item for item in items}
        return self._newest.get(int(datastream))

    def where(self, datastreams: Sequence[Id] | None, expression: Expression | None) -> Where:
        """What has to be looked at for a filter, among some datastreams or all."""
        ids = self._streams.ids if datastreams is None else self._known(datastreams)
        where = Where.of(expression, ids, self._evaluation)
        there = self._entities.of("Datastreams")
        for condition in where.of_datastreams:
            kept = [
                stream
                for stream in where.streams.tolist()
                if stream in there and self._evaluation.holds(condition, self._look(there[stream]))
            ]
            where = where.only(np.array(kept, np.int64))
        return where

    def page(
        self, where: Where, orderings: Sequence[Ordering], skip: int, top: int, after: Key | None
    ) -> Page:
        """A page of what there is; `after` is the last of the page before, in an order by time."""
        if not orderings or (len(orderings) == 1 and orderings[0].key == _BY_TIME):
            falling = bool(orderings) and orderings[0].falling
            return self._by_time(where, falling=falling, skip=skip, top=top, after=after)
        wanted = skip + top + 1
        if len(orderings) == 1 and orderings[0].key == _RESULT and self._all_numbers(where):
            best = self._by_result(where, orderings[0].falling, wanted)
        else:
            found = (self.item(chunk, row) for chunk in self._scan(where) for row in _rows(chunk))
            best = heapq.nsmallest(wanted, found, key=lambda item: self._rank(item, orderings))
        return Page(best[skip : skip + top], len(best) == wanted)

    def count(self, where: Where) -> int:
        """How many there are in all."""
        if not len(where.streams):
            return 0
        if where.all:
            return self._observed.count(where.streams, where.start, where.end)
        return sum(len(chunk) for chunk in self._scan(where))

    def all(self, datastreams: Sequence[Id]) -> Iterator[Item]:
        """All observations of some datastreams, for a filter that asks for any of them."""
        for chunk in self._scan(self.where(datastreams, None)):
            self._ask(len(chunk))
            yield from (self.item(chunk, row) for row in _rows(chunk))

    def item(self, found: Observations, row: int) -> Item:
        """A row as an entity."""
        stream, time = int(found.streams[row]), int(found.times[row])
        more = found.more.get(row, {})
        feature = more.get("feature") or self._entities.feature_at(stream, time)
        issued, valid = more.get("resultTime"), more.get("validTime")
        body: dict[str, object] = {
            "phenomenonTime": Span(time, int(more.get("phenomenonEnd") or time)),  # type: ignore[arg-type]
            "resultTime": Span(issued, issued) if isinstance(issued, int) else None,
            "result": more["result"] if "result" in more else self._result(stream, found, row),
        }
        for name in ("resultQuality", "parameters"):
            if name in more:
                body[name] = more[name]
        if isinstance(valid, list):
            body["validTime"] = Span(int(str(valid[0])), int(str(valid[1])))
        features = () if feature is None else (feature,)
        return Item(
            "Observations", f"{stream}-{time}", body,
            {"Datastreams": (stream,), "FeaturesOfInterest": features},  # type: ignore[dict-item]
        )  # fmt: skip

    def _result(self, stream: int, found: Observations, row: int) -> object:
        value = float(found.values[row])
        if np.isnan(value):
            return None
        kind = self._streams.by_id[stream].result
        if kind == "truth":
            return value != 0
        return int(value) if kind == "count" and value.is_integer() else value

    def _known(self, datastreams: Sequence[Id]) -> StreamIds:
        known = self._streams.by_id
        found = sorted(one for one in datastreams if isinstance(one, int) and one in known)
        return np.array(found, np.int64)

    def _by_time(
        self, where: Where, *, falling: bool, skip: int, top: int, after: Key | None
    ) -> Page:
        if after is not None:
            where = (
                where.within(0, after[0] + 1) if falling else where.within(after[0], LAST_TIME + 1)
            )
        items: list[Item] = []
        last = None
        for chunk in self._scan(where, falling=falling, first=skip + top + 1):
            for row in _rows(chunk):
                key = (int(chunk.times[row]), int(chunk.streams[row]))
                if after is not None and (key >= after if falling else key <= after):
                    continue
                if skip:
                    skip -= 1
                elif len(items) == top:
                    return Page(items, True, last)
                else:
                    items.append(self.item(chunk, row))
                    last = key
        return Page(items, False)

    def _by_result(self, where: Where, falling: bool, wanted: int) -> list[Item]:
        best: list[Observations] = []
        for chunk in self._scan(where):
            both = joined([*best, chunk])
            order = np.argsort(-both.values if falling else both.values, kind="stable")
            best = [both.take(order[:wanted])]
        return [self.item(found, row) for found in best for row in _rows(found)]

    def _all_numbers(self, where: Where) -> bool:
        kinds = {self._streams.by_id[stream].result for stream in where.streams.tolist()}
        return kinds <= {"measurement", "count"}

    def _rank(self, item: Item, orderings: Sequence[Ordering]) -> tuple[object, ...]:
        self._ask(1)
        look = self._look(item)
        keys = [rank(self._evaluation.value(by.key, look), by.falling) for by in orderings]
        return (*keys, item.body["phenomenonTime"].start, str(item.id))  # type: ignore[attr-defined]

    def _scan(
        self, where: Where, *, falling: bool = False, first: int = _CHUNK
    ) -> Iterator[Observations]:
        """What is asked for, in order of time, then of datastream, piece by piece."""
        start, end = where.start, where.end
        rows = min(max(first, 256), _CHUNK)
        while start < end and len(where.streams):
            if falling:
                found = self._observed.rows(where.streams, start, end, newest=rows)
            else:
                found = self._observed.rows(where.streams, start, end, oldest=rows)
            self._looked += len(found)
            if self._looked > _MOST_LOOKED:
                raise _too_much(_MOST_LOOKED)
            if len(found) == rows:
                # Of the last moment there may be more than came, so it comes again.
                edge = int(found.times.min() if falling else found.times.max())
                inside = found.times != edge
                if not inside.any():
                    rows *= 2
                    continue
                found = found.take(inside)
                start, end = (start, edge + 1) if falling else (edge, end)
                rows = min(2 * rows, _CHUNK)
            else:
                start = end
            order = np.lexsort((found.streams, found.times))
            yield self._kept(where, found.take(order[::-1] if falling else order))

    def _kept(self, where: Where, found: Observations) -> Observations:
        """Those that a filter holds for."""
        if not where.conditions:
            return found
        plain = self._plain(found)
        kept = where.mask(found.times, found.values) | ~plain
        asked = kept if where.rest else kept & ~plain
        for row in np.flatnonzero(asked).tolist():
            self._ask(1)
            look = self._look(self.item(found, row))
            conditions = where.rest if plain[row] else where.conditions
            kept[row] = all(self._evaluation.holds(part, look) for part in conditions)
        return found.take(kept)

    def _plain(self, found: Observations) -> NDArray[np.bool_]:
        """Which rows, (n,), are what their columns say: numbers at an instant, where the thing is."""
        truths = [s.id for s in self._streams.by_id.values() if s.result == "truth"]
        plain = ~np.isin(found.streams, truths) if truths else np.ones(len(found), bool)
        special = [row for row, more in found.more.items() if more.keys() & _TELLING]
        plain[special] = False
        return plain

    def _ask(self, count: int) -> None:
        self._asked += count
        if self._asked > _MOST_ONE_BY_ONE:
            raise _too_much(_MOST_ONE_BY_ONE)


def _rows(found: Observations) -> range:
    return range(len(found))


def _too_much(most: int) -> InvalidInput:
    return InvalidInput(
        f"this question would look at more than {most:,} observations; narrow it by phenomenonTime or "
        "to fewer datastreams"
    )
