"""What of a formula makes no sense, whatever a city has."""

from collections.abc import Iterator, Mapping

from analysis.checkup.formulas import Formula, Input, Share
from analysis.checkup.roles import Role
from cim_core.errors import InvalidInput

_NEEDS: Mapping[str, str] = {
    "area": "area", "largest-area": "area", "length": "line", "longest": "line",
}  # fmt: skip
"""What shapes have to be for a measure."""


def check_formula(formula: Formula, roles: Mapping[str, Role]) -> None:
    """Raise `InvalidInput` for a measure that shapes do not have, or that nothing can be near of."""
    for measure, what in _measured(formula):
        role, needs = roles.get(what.input), _NEEDS.get(measure)
        if role is not None and needs is not None and role.geometry not in (needs, "any"):
            raise InvalidInput(
                f"the shapes of the role {role.id!r} are each {role.geometry}, which has no {measure}; "
                "give another measure"
            )
    if (
        isinstance(formula, Share)
        and formula.near
        and formula.measure in ("largest-area", "longest")
    ):
        raise InvalidInput(
            f"what is near cannot be measured as {formula.measure}; give count, area, length or a column"
        )


def _measured(formula: Formula) -> Iterator[tuple[str, Input]]:
    """What a formula adds up, and how."""
    measure = getattr(formula, "measure", None)
    for name in ("what", "part", "whole"):
        if measure is not None and hasattr(formula, name):
            yield measure, getattr(formula, name)
