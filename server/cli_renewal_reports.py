"""`cim renewal report` and `cim renewal report-template`: reports as files, and what letters are filled into."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, get_args

import typer

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.files import write_whole
from cim_core.renewal.words import Period
from server.cli_audited import audited
from server.cli_parts import CityOption, err
from server.renewal.report import Form, Language, ReportId

ReportArgument = Annotated[
    ReportId, typer.Argument(help="demolition or supervision.", show_default=False)
]


def report(
    kind: ReportArgument,
    out: Annotated[Path, typer.Argument(help="Where to write it: .docx, .xlsx or .pdf.")],
    city: CityOption,
    period: Annotated[Period, typer.Option(help="week or month.")] = "week",
    end: Annotated[
        datetime | None,
        typer.Option(
            help="Its last day, 2026-03-31; that of the latest whole one if not given.",
            formats=["%Y-%m-%d"],
        ),
    ] = None,
    town: Annotated[str | None, typer.Option(help="Of one town only, by its id.")] = None,
    lang: Annotated[Language, typer.Option(help="zh or en.")] = "zh",
) -> None:
    """Write a report: demolition by town and project, or the list of supervision orders."""
    from server.renewal.asked import today
    from server.renewal.reports import Asked, last_whole, make_report, written

    form = _form(out)
    opened = City.open(city)
    day = end.date() if end else last_whole(period, today(opened))
    asked = Asked(kind, period, day, town=town)
    with audited(opened, "export", "cim renewal report") as said:
        said |= {"report": kind, "from": str(asked.start), "to": str(day)}
        write_whole(out, written(opened, make_report(opened, asked), form, lang))
    err.print(f"{out}: {asked.start} to {day}", highlight=False)


def report_template(
    kind: ReportArgument,
    out: Annotated[Path, typer.Argument(help="Where to write it, .docx.")],
) -> None:
    """Write the template that letters are filled into, to begin a city's own with."""
    from server.renewal.letter_template import template

    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, template(kind))


def _form(out: Path) -> Form:
    ending = out.suffix.lower().removeprefix(".")
    for form in get_args(Form):
        if form == ending:
            return form  # type: ignore[no-any-return]
    raise InvalidInput(
        f"{out}: a report cannot be saved under this ending; end the name with .docx, .xlsx or .pdf"
    )
