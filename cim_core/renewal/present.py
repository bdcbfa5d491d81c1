"""A thing as it stands now, which is not always what was told of it last.

What holds from an earlier day on may be told later: that a building was handed over in April, when it
is known already that it was demolished in May. It is demolished now, whatever was told last.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from cim_core.renewal.documents import Kind, patched, read_document

_BY_DAY: frozenset[Kind] = frozenset(("project", "task", "order", "evidence"))
_STATES: frozenset[Kind] = frozenset(("building", "household"))

T = TypeVar("T")

Changes = Sequence[tuple[date, Mapping[str, Any]]]
"""What was told of a thing, in that order: the day from which on it holds, and a JSON Merge Patch."""


def in_turn(told: Sequence[tuple[date, T]]) -> list[tuple[date, T]]:
    """What was told of a thing, in the order in which it holds: by days, of one day as it was told.

    A thing is there from the day on from which what began it holds; what was told of days before holds
    from that day on, too.

    >>> begin, earlier = date(2025, 5, 1), date(2025, 4, 1)
    >>> in_turn([(begin, "begun"), (earlier, "signed")])[-1]
    (datetime.date(2025, 5, 1), 'signed')
    """
    begun = told[0][0]
    return sorted(((max(day, begun), one) for day, one in told), key=lambda one: one[0])


def present(kind: Kind, changes: Changes) -> dict[str, Any]:
    """The document of a thing now, as the ledger has it for today; the first change began it.

    Of buildings and households the state goes by days, and all else by what was told last, as does
    all of progress. Raises `InvalidInput` where the document were not right on some day.

    >>> begin, later = (date(2025, 1, 1), {"project": "p"}), (date(2025, 5, 1), {"state": "demolished"})
    >>> present("building", [begin, later, (date(2025, 4, 1), {"state": "handed-over"})])
    {'project': 'p', 'state': 'demolished'}
    """
    if kind in _BY_DAY:
        return _by_day(kind, changes)
    document: dict[str, Any] = {}
    states: list[tuple[date, Any]] = []
    for day, change in changes:
        new, document = not document, patched(document, change)
        if new or "state" in change:
            states.append((day, document.get("state")))
    if kind in _STATES:
        document = patched(document, {"state": in_turn(states)[-1][1]})
    return document


def _by_day(kind: Kind, changes: Changes) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _, change in in_turn(changes):
        document = patched(document, change)
        read_document(kind, document)
    return document
