"""Observations on their way into the recorder, from whoever may send them."""

from collections.abc import Sequence
from dataclasses import dataclass

from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.observation_sources import ObservationSource
from server.access.access import Access
from server.access.notes import Note
from server.record import Recorder
from server.sensorthings.entities import Id
from server.sensorthings.observations import Sent, given_of
from server.sifting import Asked


@dataclass(frozen=True, slots=True)
class Recording:
    """The recorder for one request of somebody.

    whole
        The city with all that is in it: a device's key need not be good for looking.
    note
        What the log is to have.
    """

    whole: City
    access: Access
    recorder: Recorder
    source: ObservationSource
    note: Note

    def datastream(self, number: Id, *, linked: bool = True) -> int:
        """The number of a datastream that whoever asks may feed; raises what says why not.

        linked
            Whether a body names it; else it stands in the address.
        """
        stream = self.whole.live.streams().by_id.get(number) if isinstance(number, int) else None
        if stream is None or not self.access.may("record", stream.layer):
            if stream is not None and self.access.sight.of(stream.layer) is not None:
                self.access.require("record", stream.layer)
            raise (InvalidInput if linked else NotFound)(
                f"there is no datastream {str(number)[:40]!r} to observe with; make it first"
            )
        self.note.looked_at([stream.layer])
        return stream.id

    def record(self, observations: Sequence[Sent]) -> tuple[list[str], int]:
        """Keep observations; why each was not believed, empty for those that are kept.

        Beside it, how many were known already. Raises `TooMany` and `StorageFailed`: then nothing of
        it is kept.
        """
        problems = [""] * len(observations)
        if not observations:
            return problems, 0
        recorded = self.recorder.submit(Asked(self.source, given_of(observations))).result()
        told = self.note.detail
        told["observations"] = int(str(told.get("observations", 0))) + len(observations)
        told["source"] = self.source.name
        for letter in recorded.letters:
            problems[letter.row] = letter.detail
        return problems, recorded.duplicates
