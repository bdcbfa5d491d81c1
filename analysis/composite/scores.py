"""Values of different units and directions as scores from 0 to 100, the higher the better."""

from dataclasses import dataclass

import numpy as np

from analysis.composite.definition import Definition, Direction
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats

MIDDLE = 50.0
"""The score of all where the units do not differ: nothing speaks for or against one of them."""

_SPREAD = 10.0
"""The points of a standard deviation, as in McCall's T score."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a member beside its values: the direction, and the target of the indicator."""

    direction: Direction
    target: float | None


def scores(definition: Definition, values: Floats, known: tuple[Known, ...]) -> Floats:
    """The scores, (n, m), of (n, m) values of units and members; NaN where there is no value.

    Raises `InvalidInput` where a member lacks what the normalisation needs.
    """
    found = np.full(values.shape, np.nan)
    for column, (member, about) in enumerate(zip(definition.members, known, strict=True)):
        given = values[:, column]
        there = np.isfinite(given)
        if not there.any():
            continue
        upwards = about.direction == "higher"
        if definition.normalisation == "z":
            spread = float(np.std(given[there]))
            z = (given - given[there].mean()) / spread if _differ(given[there]) else 0.0 * given
            score = MIDDLE + _SPREAD * (z if upwards else -z)
        else:
            worst, best = member.worst, member.best
            if definition.normalisation == "min-max":
                low, high = float(given[there].min()), float(given[there].max())
                worst = (low if upwards else high) if worst is None else worst
                best = (high if upwards else low) if best is None else best
            else:
                best = about.target if best is None else best
                worst = 0.0 if worst is None and upwards else worst
                if best is None:
                    raise InvalidInput(
                        f"composite index {definition.id}: the member {member.code} has neither a "
                        "target nor `best`, which scores by target need; give it, or choose min-max or z"
                    )
                if worst is None:
                    raise InvalidInput(
                        f"composite index {definition.id}: the member {member.code} has no `worst`, "
                        "which scores by target need where lower is better; give it, or choose min-max or z"
                    )
            fixed = None not in (member.worst, member.best) or definition.normalisation == "target"
            if fixed and (worst == best or (best > worst) != upwards):
                raise InvalidInput(
                    f"composite index {definition.id}: of the member {member.code} the best is "
                    f"{best:g} and the worst {worst:g}, against its direction {about.direction!r}; "
                    "correct them"
                )
            score = _between(given, worst, best, upwards)
        found[:, column] = np.clip(score, 0.0, 100.0)
    return found


def _between(given: Floats, worst: float, best: float, upwards: bool) -> Floats:
    if worst == best:
        return np.where(np.isfinite(given), MIDDLE, np.nan)
    if (best > worst) != upwards:  # no unit is better than what is fixed as the worst
        return np.where(np.isfinite(given), 0.0, np.nan)
    found: Floats = 100.0 * (given - worst) / (best - worst)
    return found


def _differ(given: Floats) -> bool:
    return bool(np.ptp(given) > 1e-12 * max(1.0, float(np.abs(given).max())))
