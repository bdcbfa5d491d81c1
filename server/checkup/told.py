"""What a check-up found, as it is told: entries of indicators, values of units, runs."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from analysis.checkup.examine import kinds_of
from analysis.checkup.indicator import Indicator
from analysis.checkup.measured import By, Measured
from analysis.checkup.operators import method_of
from analysis.checkup.problems import met
from analysis.checkup.roles import Role
from analysis.checkup.words import words
from cim_core.city import City
from cim_core.store.checkup import Run
from server.access.access import Access
from server.checkup.formula_text import formula_text

Document = dict[str, Any]

_OF_ENTRY = (
    "code", "name", "level", "dimension", "unit", "decimals", "direction", "target", "department",
    "explanation", "formula", "formula_text", "method", "by", "proxy", "digest", "value",
)  # fmt: skip


def entry(
    indicator: Indicator, values: Mapping[By, Measured], digest: str, roles: Mapping[str, Role]
) -> Document:
    """An indicator with what was found for the whole district."""
    return {
        "code": indicator.code, "name": indicator.name.model_dump(), "level": indicator.level,
        "dimension": indicator.dimension, "unit": {"en": indicator.unit, "zh": indicator.unit_zh},
        "decimals": indicator.decimals, "direction": indicator.direction,
        "target": indicator.target.model_dump() if indicator.target else None,
        "department": indicator.department.model_dump(),
        "explanation": indicator.explanation.model_dump(),
        "formula": indicator.formula.model_dump(mode="json", exclude_none=True),
        "formula_text": dict(formula_text(indicator.formula, roles)),
        "method": method_of(indicator.formula), "by": [by for by in kinds_of(indicator) if by in values], "proxy": indicator.proxy,
        "digest": digest, "value": value_entry(indicator, values["district"], 0),
    }  # fmt: skip


def value_entry(indicator: Indicator, measured: Measured, at: int) -> Document:
    """What was found for one unit, with what it was divided by and why it is not known, if so."""
    if not len(measured.value):  # nothing says where the units of this kind are
        return dict(_NOTHING)
    value, reason = float(measured.value[at]), measured.reason[at]
    return {
        "value": _number(value), "numerator": _number(float(measured.numerator[at])),
        "denominator": _number(float(measured.denominator[at])),
        "surveyed": _number(float(measured.surveyed[at])), "status": measured.status[at],
        "reason": reason, "reason_text": dict(words()["reasons"][reason]) if reason else None,
        "met": met(indicator, value, measured.status[at], measured.by),
    }  # fmt: skip


def indicator_of(entry_: Mapping[str, Any]) -> Indicator:
    """The indicator that an entry of a run was made of."""
    return Indicator.model_validate(
        {
            **{name: entry_[name] for name in Indicator.model_fields if name in entry_},
            "unit": entry_["unit"]["en"], "unit_zh": entry_["unit"]["zh"],
            "by": [by for by in entry_["by"] if by != "district"],
        }
    )  # fmt: skip


def run_summary(city: City, run: Run, counts: Mapping[tuple[str, str, str], int]) -> Document:
    """A run in the list of runs; counted is what of it is seen.

    `counts` are its problems by code, kind of units and state, as `CheckupProblems.counts` has them.
    """
    document, entries = run.document, run.document["indicators"]
    values = [one["value"] for one in entries]
    seen = run.kinds
    problems = {"open": 0, "handled": 0}
    for (code, by, state), number in counts.items():
        if by in seen.get(code, ()):
            problems["open" if state == "open" else "handled"] += number
    return {
        "id": run.id, "set": document["set"], "set_version": document["set_version"],
        "set_digest": document.get("set_digest"), "set_name": document["set_name"], "system": document["system"], "year": document["year"],
        "title": document["title"], "made": run.made, "submitted": run.submitted,
        "who": run.name if city.sight.people else None, "state": run.state,
        "receipt": document["receipt"],
        "counts": {
            **{status: sum(v["status"] == status for v in values) for status in words()["statuses"]},
            "met": sum(v["met"] is True for v in values),
            "failed": sum(v["met"] is False for v in values),
        },
        "problems": problems, "hidden": run.hidden,
    }  # fmt: skip


def run_detail(city: City, run: Run) -> Document:
    """A run with what it was made of and every indicator that is seen."""
    counts = city.checkups.problems.counts().get(run.id, {})
    return {
        **run_summary(city, run, counts),
        "dimensions": run.document["dimensions"],
        "inputs": [input_entry(one) for one in run.document["inputs"]],
        "indicators": [shown(one) for one in run.document["indicators"]],
    }


def input_entry(kept: Mapping[str, Any]) -> Document:
    """Something a run was made of."""
    return {name: kept[name] for name in ("role", "title", "layer", "version", "date", "features")}


def shown(kept: Mapping[str, Any]) -> Document:
    """An entry of a run without what is nobody's business but the store's."""
    return {name: kept[name] for name in _OF_ENTRY}


def rights_of(access: Access) -> Mapping[str, bool]:
    """What somebody may do with check-ups, which are of the whole city."""
    return {name: access.towns(verb) is None for name, verb in RIGHTS.items()}


RIGHTS: Mapping[str, Any] = {
    "examine": "manage", "edit": "edit", "submit": "manage", "handle": "order", "export": "export",
}  # fmt: skip
"""Under which verb of the policy each stands; all count as internal, for all towns."""


_NOTHING: Document = {
    "value": None, "numerator": None, "denominator": None, "surveyed": None, "status": "unavailable",
    "reason": "no-layer", "reason_text": dict(words()["reasons"]["no-layer"]), "met": None,
}  # fmt: skip


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
