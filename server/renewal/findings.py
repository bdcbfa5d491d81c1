"""What is found in a file that somebody brought: where, what is wrong, and the remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from cim_core.errors import CimError
from server.zh import in_chinese

MOST = 1000
"""Findings that are told; what is wrong with every row needs no list without end."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Place:
    """A cell, or a row where the column is empty; rows as the file counts them."""

    sheet: str
    row: int
    column: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, as an English sentence of the program."""

    place: Place
    severity: Severity
    sentence: str

    def document(self) -> dict[str, Any]:
        """The finding as clients get it."""
        place = self.place
        return {
            "sheet": place.sheet, "row": place.row, "column": place.column,
            "severity": self.severity,
            "text": {"en": self.sentence, "zh": in_chinese(self.sentence) or self.sentence},
        }  # fmt: skip


@dataclass(slots=True)
class Report:
    """What a file amounts to.

    rows
        With anything in them.
    accepted
        Of them those that are right, and those of them that would change something.
    """

    findings: list[Finding] = field(default_factory=list)
    rows: int = 0
    accepted: int = 0
    changes: int = 0
    errors: int = 0
    applied: bool = False

    def warn(self, place: Place, warning: str) -> None:
        """Note what is odd, and taken all the same."""
        self._add(Finding(place, "warning", warning))

    def refuse(self, place: Place, error: CimError) -> None:
        """Note why a row is not taken."""
        self.errors += 1
        self._add(Finding(place, "error", error.sentence))

    @contextmanager
    def row(self, place: Place) -> Iterator[None]:
        """Look at a row in the block: what it raises is noted, at its own place or the row's."""
        self.rows += 1
        try:
            yield
        except Misplaced as wrong:
            self.refuse(wrong.place, wrong.error)
        except CimError as error:
            self.refuse(place, error)
        else:
            self.accepted += 1

    def document(self) -> dict[str, Any]:
        """The report as clients get it."""
        return {
            "rows": self.rows, "accepted": self.accepted, "changes": self.changes,
            "errors": self.errors, "applied": self.applied,
            "findings": [finding.document() for finding in self.findings],
        }  # fmt: skip

    def _add(self, finding: Finding) -> None:
        if len(self.findings) < MOST:
            self.findings.append(finding)


class Misplaced(Exception):
    """What is wrong with one cell of a row."""

    def __init__(self, place: Place, error: CimError) -> None:
        super().__init__(error.sentence)
        self.place, self.error = place, error
