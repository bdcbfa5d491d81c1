"""What somebody would see of a city: every layer under a policy, for a person who need not exist."""

from typing import Any

import shapely

from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.store.labels import Label
from cim_core.store.office_account import ROLES
from server.access.access import Access
from server.access.labels import labels_of
from server.access.person import Person, stranger
from server.access.policy import STRANGER, Policy


def preview(
    city: City, policy: Policy, role: str, town: str | None, department: str | None
) -> dict[str, Any]:
    """The layers and verbs for somebody of a role, a town and a department, with a second factor.

    Raises `InvalidInput` for a role there is not, `NotFound` for a town there is not.
    """
    labels = labels_of(city)
    if role == STRANGER:
        access = Access(stranger(), policy, labels)
    elif role in ROLES:
        person = Person("", role, (role,), "session", department=department, second_factor=True)
        access = Access(person, policy, labels, () if town is None else _boundary(city, town))
    else:
        raise InvalidInput(f"{role!r} is not a role; give some of {STRANGER}, {', '.join(ROLES)}")
    layers = [
        {"id": version.layer, "title": version.title, **_seen(access, labels[version.layer], town)}
        for version in city.layers.current()
        if version.layer in labels
    ]
    return {"layers": layers, "may": access.verbs}


def _boundary(city: City, town: str) -> tuple[shapely.Geometry, ...]:
    found = {item.id: item for item in city.office.people.towns()}.get(town)
    if found is None:
        raise NotFound(f"there is no town {town!r} in this city")
    return () if found.boundary is None else (found.boundary,)


def _seen(access: Access, label: Label, town: str | None) -> dict[str, Any]:
    part = access.sight.of(label.layer)
    told = {"sensitivity": label.sensitivity, "department": label.department}
    if part is None:
        return {**told, "seen": "no", "hidden": [], "heights": False, "area": None, "may": []}
    return {
        **told,
        "seen": "whole" if part.whole else "part",
        "hidden": list(part.hidden),
        "heights": part.heights,
        "area": None if part.area is None else town,
        "may": access.verbs_of(label),
    }
