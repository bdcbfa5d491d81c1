"""Two runs of the check-up held against each other, indicator by indicator.

It works on the entries of runs as they are stored, so a run of any year can be compared, whatever the
program measured with then. Values that were made in different ways stand side by side, and what is
different is said; none of them is called better. Nor is one where the other may only seem worse since
less of it was surveyed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

from analysis.checkup.loaded import engine_table
from analysis.checkup.words import words

Entry = Mapping[str, Any]
"""An indicator of a run: code, name, unit, direction, target, formula, method, sources, value, …"""

_METHOD = (
    "formula", "sources", "rules", "plane", "method", "unit", "direction", "target", "proxy",
)  # fmt: skip
"""What of an entry makes values of two years two different things; in this order it is said."""
_SURVEY = "surveyed"
_GROW = ("total", "gap")
"""Operators whose values can only grow by what is surveyed besides."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one indicator.

    before, after
        The entry's value (value, numerator, …) in the older and the newer run; None where the run
        does not have the indicator.
    change
        After less before; None without both values.
    better
        Whether the newer value is the better one; None where nothing changed, where the indicator
        only describes, where the values were made in different ways, and where the change may be
        that of what was surveyed.
    method_changed
        Whether the values were made in different ways.
    what
        What is different in how they were made or in what is known, {"en": …, "zh": …}; None if
        nothing is.
    """

    code: str
    name: Mapping[str, str]
    unit: Mapping[str, str]
    decimals: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    change: float | None
    better: bool | None
    method_changed: bool
    what: Mapping[str, str] | None

    def document(self) -> dict[str, Any]:
        """It as JSON: `before` and `after` are called `from` and `to`."""
        return {
            "code": self.code, "name": self.name, "unit": self.unit, "decimals": self.decimals,
            "from": self.before, "to": self.after, "change": self.change, "better": self.better,
            "method_changed": self.method_changed, "what": self.what,
        }  # fmt: skip


def compare(old: Sequence[Entry], new: Sequence[Entry]) -> list[Change]:
    """What became of the indicators of an older run in a newer one, by code.

    Those of the newer run come first, in its order, then those it no longer has.
    """
    before, after = ({entry["code"]: entry for entry in entries} for entries in (old, new))
    return [_change(before.get(code), after.get(code)) for code in {**after, **before}]


def _change(old: Entry | None, new: Entry | None) -> Change:
    said = new if new is not None else old
    assert said is not None
    changed = _different(old, new)
    ways = bool(changed) and old is not None and new is not None
    first, second = (None if entry is None else entry["value"] for entry in (old, new))
    change = None
    if first is not None and second is not None:
        was, is_now = first["value"], second["value"]
        change = None if was is None or is_now is None else is_now - was
    better = None
    if (
        not changed
        and change is not None
        and not isclose(was, is_now, rel_tol=1e-12, abs_tol=1e-12)
    ):
        assert first is not None and second is not None
        if _by_survey(said["formula"]["operator"], first, second, change):
            changed = [_SURVEY]
        else:
            better = _better(said["direction"], change)
    return Change(
        said["code"], said["name"], said["unit"], said["decimals"], first, second, change, better,
        ways, _told(changed),
    )  # fmt: skip


def _by_survey(operator: str, old: Entry, new: Entry, change: float) -> bool:
    """Whether a change may come from how much is known in either year."""
    if old["status"] == new["status"] == "ready":
        return False
    if old["reason"] != new["reason"] and not {old["reason"], new["reason"]} <= {"", "in-part"}:
        return True
    more = new["surveyed"] - old["surveyed"]
    if abs(more) <= engine_table()["comparison"]["surveyed"]:
        return False
    # A gap that fell though more estates were asked did not fall by that.
    return operator not in _GROW or change * more > 0


def _better(direction: str, change: float) -> bool | None:
    return {"higher": change > 0, "lower": change < 0}.get(direction)


def _different(old: Entry | None, new: Entry | None) -> list[str]:
    if old is None:
        return ["added"]
    if new is None:
        return ["dropped"]
    return [name for name in _METHOD if _judged(old, name) != _judged(new, name)]


def _judged(entry: Entry, name: str) -> Any:
    """What of a part of an entry matters: where a target was read does not."""
    part = entry.get(name)
    return part["value"] if name == "target" and part is not None else part


def _told(changed: list[str]) -> Mapping[str, str] | None:
    if not changed:
        return None
    named = [words()["changes"][one] for one in changed]
    if changed[0] in ("added", "dropped"):
        return named[0]
    return {
        "en": f"Not the same in both years: {', '.join(one['en'] for one in named)}.",
        "zh": f"两年口径不同：{'、'.join(one['zh'] for one in named)}。",
    }
