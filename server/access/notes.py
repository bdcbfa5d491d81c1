"""What a route notes of a request for the log, beyond what its address says."""

import secrets
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from cim_core.feature import Value
from server.access.verbs import Verb

_KEY = "note"


@dataclass(slots=True)
class Note:
    """What the log is to have of a request.

    layers
        Those that what was asked for looked at, beside the one of the path.
    export
        By which id the file that was handed out is found again.
    verb
        What was done, where that is not what the route is for.
    account
        The id and the name of the account that this is about, where nobody is signed in yet.
    detail
        What else is worth keeping; no secrets.
    """

    layers: set[str] = field(default_factory=set)
    export: str | None = None
    verb: Verb | None = None
    account: tuple[str, str] | None = None
    detail: dict[str, Value] = field(default_factory=dict)

    def looked_at(self, layers: Iterable[str]) -> None:
        """Say which layers were looked at."""
        self.layers.update(layers)

    def exported(self) -> str:
        """Make an id for the file that is handed out; it stands in the log and in the answer."""
        if self.export is None:
            self.export = secrets.token_hex(8)
        return self.export


def note_of(scope: MutableMapping[str, Any]) -> Note:
    """The note of a request, by its ASGI scope."""
    note: Note = scope.setdefault("state", {}).setdefault(_KEY, Note())
    return note
