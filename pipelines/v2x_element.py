"""A message in JSON, asked element by element, so that what is wrong is named by its path.

Gateways write the same ASN.1 names differently: "position-LL1", "position_LL1", "positionLL1" are
one, whole numbers may be texts, and what is missing may be null.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.v2x_refused import MessageRefused, wrong

_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Element:
    """A value of a message and where it stands; whatever it is asked for in vain is refused."""

    value: Any
    path: tuple[str | int, ...] = ()

    def find(self, key: str) -> "Element | None":
        """A member, None where it is missing or null; raises `MessageRefused` if this is no object."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        found: str | None = key
        if key not in self.value:
            plain = _plain(key)
            found = next((one for one in self.value if _plain(str(one)) == plain), None)
        if found is None or self.value[found] is None:
            return None
        return Element(self.value[found], (*self.path, found))

    def __getitem__(self, key: str) -> "Element":
        """A member that must be there; raises `MessageRefused`."""
        found = self.find(key)
        if found is None:
            raise wrong((*self.path, key), None, "a value")
        return found

    def each(self, least: int, most: int) -> "Iterator[Element]":
        """The members of an array of so many; raises `MessageRefused`."""
        value = self.value
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            raise self.wrong(f"an array of {least} to {most}")
        for number, one in enumerate(value):
            yield Element(one, (*self.path, number))

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high; raises `MessageRefused`."""
        value = self.value
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(f"a whole number from {low} to {high}")
        return value

    def number(self, low: float, high: float) -> float:
        """A number from low to high; raises `MessageRefused`."""
        value = self.value
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise self.wrong(f"a number from {low:g} to {high:g}")
        return float(value)

    def text(self, most: int = 200) -> str:
        """A text of at most so many letters; raises `MessageRefused`."""
        if not isinstance(self.value, str) or len(self.value) > most:
            raise self.wrong(f"a text of at most {most} letters")
        return self.value

    def wrong(self, wanted: str) -> MessageRefused:
        """The error that says what stands here, and what is wanted."""
        return wrong(self.path, self.value, wanted)


def _plain(key: str) -> str:
    return key.replace("-", "").replace("_", "").lower()


def intersection_id(region: int | None, number: int) -> str:
    """How an intersection of map and signal messages is called in a road map.

    Without a region it is in region 0, which the standards keep for such.

    >>> intersection_id(None, 12109), intersection_id(500, 5)
    ('0-12109', '500-5')
    """
    return f"{region or 0}-{number}"
