"""The one door to what a city feels: things, datastreams and the newest observations."""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from cim_core.observations import Streams
from cim_core.sight import EVERYTHING, Sight
from cim_core.store.live_alarms import Alarms
from cim_core.store.live_batches import Batches
from cim_core.store.live_dead import DeadLetters
from cim_core.store.live_file import LiveFile
from cim_core.store.live_seen import Known, seen
from cim_core.store.live_streams import by_number, streams_of
from cim_core.store.live_things import KINDS, Entity, Kind, Things
from cim_core.store.tail import Tail

_SIGHTS_KEPT = 32


class Live:
    """What a city feels, as somebody sees it. A city without `live.db` has no things.

    things
        The entities to write; who asks for them is not looked at.
    batches, dead
        The newest observations as they stand in the file, and what was not believed.
    alarms
        Those that are seen.
    """

    def __init__(self, folder: Path) -> None:
        self._sight = EVERYTHING
        self._shared = _Shared(LiveFile(folder))
        self._offer()

    def _offer(self) -> None:
        file = self._shared.file
        self.things = Things(file)
        self.batches = Batches(file)
        self.dead = DeadLetters(file)
        self.alarms = Alarms(file, self.streams, self._sight)

    def seen_by(self, sight: Sight) -> "Live":
        """The same with nothing but the things that somebody sees."""
        live = Live.__new__(Live)
        live._sight = sight
        live._shared = self._shared
        live._offer()
        return live

    @property
    def path(self) -> Path:
        """The file, which need not exist."""
        return self._shared.file.path

    @property
    def exists(self) -> bool:
        """Whether the city ever had a thing."""
        return self._shared.file.exists

    @property
    def generation(self) -> int:
        """A number that grows with every change of an entity, by whichever process."""
        return self._shared.file.number("generation")

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """All or nothing; begins the file where there is none."""
        return self._shared.file.transaction()

    def streams(self) -> Streams:
        """The datastreams that are seen, as they are now."""
        return self._shared.known(self._sight).streams

    def entities(self, kind: Kind) -> Mapping[int, Entity]:
        """The entities of a kind that are seen, by number, with links to what is seen."""
        return self._shared.known(self._sight).entities[kind]

    def tail(self) -> Tail:
        """The newest observations of all datastreams, with what other processes wrote."""
        return self._shared.tail()

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        self._shared.file.close()


class _Shared:
    """What all views of one city's live file have in common."""

    def __init__(self, file: LiveFile) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._all: Known | None = None
        self._seen: OrderedDict[object, Known] = OrderedDict()
        self._tailing = threading.Lock()
        self._tail: Tail | None = None
        self._deleted = 0

    def known(self, sight: Sight) -> Known:
        """The entities as they are now; read again when any process changed one."""
        generation = self.file.number("generation")
        with self._lock:
            if self._all is None or self._all.generation != generation:
                self._all = _read(self.file, generation)
                self._seen.clear()
            if sight.parts is None:
                return self._all
            key = tuple(sorted((layer, part.key) for layer, part in sight.parts.items()))
            found = self._seen.get(key)
            if found is None:
                found = self._seen[key] = seen(self._all, sight)
                while len(self._seen) > _SIGHTS_KEPT:
                    self._seen.popitem(last=False)
            self._seen.move_to_end(key)
            return found

    def tail(self) -> Tail:
        """This process's tail, with all that stands in the file."""
        with self._tailing:
            batches = Batches(self.file)
            deleted = self.file.number("deleted")
            if self._tail is None:
                self._tail = Tail(batches.latest())
            elif deleted != self._deleted:
                self._tail.drop(self._tail.batches - set(batches.ids()))
                self._tail.remember(batches.latest())
            self._deleted = deleted
            for batch in batches.all_after(self._tail.last_batch):
                self._tail.add(batch.id, batch.observations)
            return self._tail


def _read(file: LiveFile, generation: int) -> Known:
    things = Things(file)
    entities = {kind: by_number(things.all(kind)) for kind in KINDS}
    return Known(generation, entities, streams_of(entities))
