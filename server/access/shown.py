"""Whether files of a layer are shown to who asks for them, and how long they may be kept."""

from collections.abc import Iterable

from starlette.types import Scope

from cim_core.city import City
from server.access.access import Access
from server.access.gate import Gate
from server.access.notes import note_of
from server.access.person import Person, stranger
from server.tilefiles import FOREVER

PRIVATE = b"private, no-cache"
"""For files of a layer that not everybody may see: no cache that several people share keeps them."""


class Shown:
    """Asked for every tile: what whoever asks may do with it."""

    def __init__(self, city: City, gate: Gate) -> None:
        self._city = city
        self._gate = gate

    def __call__(self, scope: Scope, layer: str, version: int | None) -> bytes | None:
        """How long a file of a layer, and of a version of it, may be kept; None if it is not shown.

        Files are made of a whole layer, so who sees only a part of it is not shown them.
        """
        note_of(scope).looked_at([layer])
        person: Person = scope["state"]["person"]
        part = self._gate.access(person).sight.of(layer)
        if part is None or not part.whole:
            return None
        if version is not None and not self._city.layers.is_kept(layer, version):
            return None
        return FOREVER if is_open(self._gate, layer) else PRIVATE


def is_open(gate: Gate, layer: str) -> bool:
    """Whether everybody may see all of a layer, so that any cache may keep it."""
    anyone: Access = gate.access(stranger(loopback=gate.in_force.kind == "none"))
    part = anyone.sight.of(layer)
    return part is not None and part.whole


def prefixes(gate: Gate, access: Access, layers: Iterable[str]) -> dict[str, str]:
    """What the addresses of tiles begin with for a person, by layer: nothing where all may see them."""
    closed = [layer for layer in layers if not is_open(gate, layer)]
    given = gate.capability(access.person) if closed else None
    return dict.fromkeys(closed, f"/c/{given[0]}") if given else {}
