"""Who may do what with check-ups, which are internal and of the whole city."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from cim_core.city import City
from cim_core.errors import Forbidden, SignInNeeded
from cim_core.store.checkup import Run
from server.access.access import Access
from server.access.notes import Note, note_of
from server.access.verbs import Verb
from server.state import AccessDep, CityDep


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for check-ups in what they see of a city; what they change is noted for the log."""

    city: City
    access: Access
    note: Note

    def require(self, verb: Verb) -> None:
        """Raise what says why not, unless a verb holds for what is internal of all towns."""
        self.note.verb = verb
        self.access.require_known()
        require_whole(self.access, verb)

    def run(self, key: str) -> Run:
        """A run as far as it is seen; raises `NotFound`."""
        found = self.city.checkups.run(key)
        self.note.detail["checkup"] = key
        return found


def require_whole(access: Access, verb: Verb) -> None:
    """Raise `SignInNeeded` or `Forbidden` unless a verb holds for what is internal of all towns."""
    if access.towns(verb) is None:
        return
    if not access.person.known:
        raise SignInNeeded("strangers may not do this with check-ups; sign in")
    raise Forbidden(
        "your roles do not let you do this with check-ups, which are of the whole city; ask the city's "
        "security administrator"
    )


def _asking(city: CityDep, access: AccessDep, request: Request) -> Asking:
    return Asking(city, access, note_of(request.scope))


AskingDep = Annotated[Asking, Depends(_asking)]
