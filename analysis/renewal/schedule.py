"""How far a project was to be on a day, and how far its stages are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from cim_core.renewal.documents import StageDates, Target
from cim_core.renewal.stages import templates
from cim_core.renewal.words import Title

StageState = Literal["done", "running", "late", "waiting"]


@dataclass(frozen=True, slots=True)
class StageStanding:
    """A stage of a project on a day.

    state
        late: running after the day it was to end, or waiting after the day it was to start.
    """

    id: str
    title: Title
    planned_start: date | None
    planned_end: date | None
    started: date | None
    ended: date | None
    state: StageState


def planned_share(target: Target, at: date) -> float:
    """How much of a target was to be done by the end of a day, from 0 to 1.

    Evenly over its days, the first and the last included; or by its milestones: until the day of one
    no more is due than by the one before. On its last day all is.

    >>> target = Target(metric="investment", start=date(2025, 1, 1), end=date(2025, 1, 10), total=1.0)
    >>> [planned_share(target, date(2025, *day)) for day in ((12, 31), (1, 1), (1, 5))]
    [1.0, 0.1, 0.5]
    """
    if at >= target.end:
        return 1.0
    if target.milestones:
        return max((one.share for one in target.milestones if one.date <= at), default=0.0)
    passed = (at - target.start).days + 1
    return max(passed, 0) / ((target.end - target.start).days + 1)


def in_force(targets: Sequence[Target], at: date) -> Target:
    """Of the targets of a metric, by their first day: the last that has begun, else the first."""
    return next((target for target in reversed(targets) if target.start <= at), targets[0])


def stages_of(template: str, dates: Mapping[str, StageDates], at: date) -> list[StageStanding]:
    """The stages of a project's template in their order, then those only the project has."""
    known = templates().get(template)
    names: dict[str, Title] = {stage.id: stage.title for stage in known.stages} if known else {}
    names |= {key: {"en": key, "zh": key} for key in dates if key not in names}
    return [_standing(key, title, dates.get(key, _UNDATED), at) for key, title in names.items()]


def current(stages: Iterable[StageStanding]) -> str | None:
    """The last stage that runs; where none does, the first after the last that is done.

    None where all are done. Stages nobody dated before one that is done count as passed.
    """
    found: str | None = None
    running = False
    for stage in stages:
        if stage.started is not None and stage.state != "done":
            found, running = stage.id, True
        elif stage.state == "done" and not running:
            found = None
        elif found is None and not running:
            found = stage.id
    return found


_UNDATED = StageDates()


def _standing(key: str, title: Title, dates: StageDates, at: date) -> StageStanding:
    ended = dates.ended if dates.ended is not None and dates.ended <= at else None
    started = dates.started if dates.started is not None and dates.started <= at else None
    state: StageState
    if ended is not None:
        state = "done"
    elif started is not None:
        late = dates.planned_end is not None and dates.planned_end < at
        state = "late" if late else "running"
    else:
        late = dates.planned_start is not None and dates.planned_start < at
        state = "late" if late else "waiting"
    return StageStanding(key, title, dates.planned_start, dates.planned_end, started, ended, state)
