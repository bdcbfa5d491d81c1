"""Why a project has its light, as people read it."""

from analysis.renewal.projects import ProjectStanding, Reason
from cim_core.renewal.lights import LightRules
from cim_core.renewal.words import Title, metrics
from server.renewal.report import figure, filled, kinds


def reason_text(reason: Reason, project: ProjectStanding, rules: LightRules) -> Title:
    """A reason in both languages, with the names of stages and metrics."""
    stages = {stage.id: stage.title for stage in project.stages}
    values: dict[str, str | int | Title] = {}
    for name, value in reason.values.items():
        match name:
            case "stage":
                values[name] = stages[value]
            case "metric":
                values[name] = metrics()[value].title
            case "planned" | "actual":
                values[name] = figure(value, kinds()["share"]).removesuffix("%")
            case "points":
                values[name] = figure(value, kinds()["points"])
            case _:
                values[name] = value
    return filled(rules.rules[reason.rule].reason, values)
