"""What is ordered of a check-up, as a job keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cim_core.feature import Value

CHECKUP = "checkup"
"""The type of a job that examines."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be examined: by which set, for which year."""

    set: str
    year: int
    title: str = ""

    def as_parameters(self) -> dict[str, Value]:
        """As a job keeps it."""
        return {"set": self.set, "year": self.year, "title": self.title}

    @classmethod
    def from_parameters(cls, values: Mapping[str, Value]) -> "Order":
        """What `as_parameters` gave."""
        return cls(str(values["set"]), int(str(values["year"])), str(values["title"]))
