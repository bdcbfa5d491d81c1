"""Rules of the check report about stages, tasks and supervision orders."""

from collections.abc import Iterator, Mapping
from datetime import date

from analysis.renewal.examined import Check, CheckRule, Examined, Found
from cim_core.renewal.documents import Project, StageDates
from cim_core.renewal.stages import Stage, templates

_STARTED = {"en": "it began", "zh": "开始"}
_ENDED = {"en": "it ended", "zh": "结束"}
_TO_START = {"en": "it was to begin", "zh": "计划开始"}
_TO_END = {"en": "it was to end", "zh": "计划结束"}


def _stages(project: Project) -> Iterator[tuple[Stage, StageDates]]:
    """The stages that a project has dates of, in the template's order."""
    template = templates().get(project.template)
    for stage in template.stages if template else ():
        if stage.id in project.stages:
            yield stage, project.stages[stage.id]


def stage_dates(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Stages that end before they begin, or ended and never began."""
    for key, project in examined.projects.items():
        for stage, dates in _stages(project):
            for first, first_day, second, second_day in (
                (_STARTED, dates.started, _ENDED, dates.ended),
                (_TO_START, dates.planned_start, _TO_END, dates.planned_end),
            ):
                if first_day and second_day and second_day < first_day:
                    values = {
                        "stage": dict(stage.title), "first": first, "first_day": str(first_day),
                        "second": second, "second_day": str(second_day),
                    }  # fmt: skip
                    yield Found(key, "project", key, values)


def stage_order(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Stages that ended before one that comes first in the template began.

    That a later stage begins earlier is no finding: parcels are signed, demolished and built one by one.
    """
    for key, project in examined.projects.items():
        latest: tuple[date, Stage] | None = None
        for stage, dates in _stages(project):
            if latest and dates.ended and dates.ended < latest[0]:
                values = {
                    "stage": dict(stage.title), "ended": str(dates.ended),
                    "earlier": dict(latest[1].title), "started": str(latest[0]),
                }  # fmt: skip
                yield Found(key, "project", key, values)
            if dates.started and (latest is None or dates.started > latest[0]):
                latest = dates.started, stage


def stage_future(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Stages that are said to have begun or ended on a day that is still to come."""
    for key, project in examined.projects.items():
        for stage, dates in _stages(project):
            days = [day for day in (dates.started, dates.ended) if day and day > examined.at]
            if days:
                values = {"stage": dict(stage.title), "day": str(min(days))}
                yield Found(key, "project", key, values)


def stage_unknown(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Stages that a project has and its template does not."""
    for key, project in examined.projects.items():
        template = templates().get(project.template)
        known = {stage.id for stage in template.stages} if template else project.stages.keys()
        for stage in project.stages:
            if stage not in known:
                values = {"stage": stage, "template": project.template}
                yield Found(key, "project", key, values)


def template_unknown(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects of a template that there is none of."""
    for key, project in examined.projects.items():
        if project.template not in templates():
            yield Found(key, "project", key, {"template": project.template})


def task_dates(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Tasks that are due, or done, before they begin."""
    for key, task in examined.tasks.items():
        ends = [day for day in (task.due, task.done) if day and task.start and day < task.start]
        if ends:
            values = {"name": task.title, "start": str(task.start), "end": str(min(ends))}
            yield Found(task.project, "task", key, values)


def task_without_unit(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Tasks nobody is responsible for."""
    for key, task in examined.tasks.items():
        if not task.unit:
            yield Found(task.project, "task", key, {"name": task.title})


def order_without_unit(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Orders to nobody, or to a unit the city does not have."""
    known = examined.units
    for key, order in examined.orders.items():
        if not order.unit or (known is not None and order.unit not in known):
            values = {"name": order.number or order.title, "unit": order.unit or "—"}
            yield Found(order.project, "order", key, values)


def order_dates(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Orders in force without the day of issue or the deadline, or with days out of order."""
    for key, order in examined.orders.items():
        if order.state in ("draft", "withdrawn"):
            continue
        days = [order.issued, order.deadline]
        missing = None in days or (order.state == "closed" and order.closed is None)
        # A closed order may be closed before its deadline, but not before it was issued.
        ways = [(order.issued, order.deadline), (order.issued, order.closed)]
        wrong = any(first and second and second < first for first, second in ways)
        if missing or wrong:
            values = {
                "name": order.number or order.title,
                **{
                    name: str(day) if day else "—"
                    for name, day in (
                        ("issued", order.issued), ("deadline", order.deadline),
                        ("closed", order.closed),
                    )
                },
            }  # fmt: skip
            yield Found(order.project, "order", key, values)


def order_closed_unanswered(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Orders that were closed and never answered."""
    for key, order in examined.orders.items():
        if order.state == "closed" and not order.feedback:
            yield Found(order.project, "order", key, {"name": order.number or order.title})


CHECKS: Mapping[str, Check] = {
    "stage-dates": stage_dates,
    "stage-order": stage_order,
    "stage-future": stage_future,
    "stage-unknown": stage_unknown,
    "template-unknown": template_unknown,
    "task-dates": task_dates,
    "task-without-unit": task_without_unit,
    "order-without-unit": order_without_unit,
    "order-dates": order_dates,
    "order-closed-unanswered": order_closed_unanswered,
}
