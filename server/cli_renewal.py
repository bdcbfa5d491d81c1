"""`cim renewal`: projects in, progress sheets out and in, what is wrong, and how everything stands."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.files import write_whole
from cim_core.progress import Progress
from cim_core.renewal.words import Period
from server import cli_renewal_reports
from server.cli_audited import audited
from server.cli_parts import (
    EXIT_CODES,
    PARTLY,
    CityOption,
    JsonOption,
    err,
    folding_table,
    print_json,
    progress_bar,
)
from server.renewal.findings import Report
from server.renewal.history_file import load_history_file

renewal = typer.Typer(no_args_is_help=True, help="Urban renewal: projects, progress, checks.")
renewal.command()(cli_renewal_reports.report)
renewal.command()(cli_renewal_reports.report_template)

FileArgument = Annotated[Path, typer.Argument(help="The file.", exists=True, dir_okay=False)]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Look only, record nothing.")]
PartialOption = Annotated[
    bool, typer.Option("--partial", help="Record the right rows though others are wrong.")
]
AtOption = Annotated[
    datetime | None,
    typer.Option(help="The day, 2026-03-31; today if not given.", formats=["%Y-%m-%d"]),
]


@renewal.command()
def load(
    file: Annotated[
        Path, typer.Argument(help="Dated changes, one JSON object a line.", show_default=False)
    ],
    city: CityOption,
    as_json: JsonOption = False,
) -> None:
    """Bring in what another program recorded, with its moments; the city must have no renewal yet."""
    opened = City.open(city)
    with audited(opened, "manage", "cim renewal load") as said, progress_bar("renewal") as bar:
        said["changes"] = loaded = load_history_file(opened.renewal, file, Progress(bar))
    if as_json:
        print_json({"changes": loaded, "revision": opened.renewal.revision})
    else:
        Console().print(f"{loaded:,} changes", highlight=False)


@renewal.command("import")
def import_projects(
    file: FileArgument,
    city: CityOption,
    dry_run: DryOption = False,
    partial: PartialOption = False,
    effective: AtOption = None,
    crs: Annotated[
        str | None, typer.Option(help="The reference system of its shapes, as EPSG:4547.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring in projects and boundaries from an .xlsx, a .gpkg or a zipped Shapefile."""
    from server.renewal.asked import today
    from server.renewal.bring_in import Bringing
    from server.renewal.edits import check_effective
    from server.renewal.reading import read_given

    opened = City.open(city)
    day = _day(opened, effective)
    check_effective(day, today(opened))
    sheets = read_given(file, file.name)
    bringing = Bringing(opened, file.name, _anywhere, day, crs)
    if dry_run:
        brought = bringing.apply(sheets, dry_run=True)
    else:
        with audited(opened, "manage", "cim renewal import") as said:
            brought = bringing.apply(sheets, partial=partial)
            said |= {"applied": brought.report.applied, "changes": brought.report.changes}
    if as_json:
        print_json({**brought.report.document(), "projects": brought.projects})
    else:
        _print(brought.report)
    _end(brought.report)


@renewal.command("sheet")
def write_sheet(
    out: Annotated[Path, typer.Argument(help="Where to write it, .xlsx.")],
    city: CityOption,
    period: Annotated[Period, typer.Option(help="week or month.")] = "week",
    end: AtOption = None,
    town: Annotated[
        str | None, typer.Option(help="Of the projects of a town only, by its id.")
    ] = None,
    project: Annotated[str | None, typer.Option(help="Of one project only, by its id.")] = None,
) -> None:
    """Write the workbook in which progress is reported, for the period that a day lies in."""
    from server.renewal.progress_sheet import progress_sheet, span_of

    opened = City.open(city)
    projects = (
        [opened.renewal.get("project", project)] if project else opened.renewal.find("project")
    )
    wanted = [one for one in projects if town is None or one.document["town"] == town]
    if not wanted:
        raise InvalidInput("there is no project to report on; `cim renewal status` lists the towns")
    titles = {one.id: one.title for one in opened.office.people.towns()}
    span = span_of(period, _day(opened, end))
    write_whole(out, progress_sheet(opened, span, wanted, titles))
    err.print(f"{out}: {len(wanted)} projects, {span.start} to {span.end}", highlight=False)


@renewal.command("progress")
def take_progress(
    file: FileArgument,
    city: CityOption,
    dry_run: DryOption = False,
    partial: PartialOption = False,
    as_json: JsonOption = False,
) -> None:
    """Record what a filled-in progress sheet says; twice changes nothing."""
    from server.renewal.progress_given import Reader, apply_progress
    from server.renewal.reading import read_given

    opened = City.open(city)
    sheets = read_given(file, file.name)
    reader = Reader(opened, file.name, _day(opened, None), _anywhere, _anywhere)
    if dry_run:
        report = apply_progress(reader, sheets, dry_run=True)
    else:
        with audited(opened, "report", "cim renewal progress") as said:
            report = apply_progress(reader, sheets, partial=partial)
            said |= {"applied": report.applied, "changes": report.changes}
    if as_json:
        print_json(report.document())
    else:
        _print(report)
    _end(report)


@renewal.command()
def check(city: CityOption, at: AtOption = None, as_json: JsonOption = False) -> None:
    """Say what is wrong with what is recorded: what contradicts itself, is late or is missing."""
    from analysis.renewal.checks import checks

    opened = City.open(city)
    found = checks(opened, _day(opened, at))
    if as_json:
        rows = [
            {
                "rule": one.rule, "severity": one.severity, "project": one.project, "kind": one.kind,
                "subject": one.subject, "text": one.text, "values": one.values,
            }
            for one in found
        ]  # fmt: skip
        print_json({"findings": rows})
        return
    table = folding_table("rule", "severity", "project", "subject", "what")
    for one in found:
        table.add_row(
            one.rule, one.severity, escape(one.project), escape(one.subject), escape(one.text["en"])
        )
    Console().print(table)


@renewal.command()
def status(city: CityOption, at: AtOption = None, as_json: JsonOption = False) -> None:
    """Say how the towns stand: lights, progress against plan, signing, orders."""
    from analysis.renewal.standing import campaign
    from cim_core.renewal.lights import city_lights

    opened = City.open(city)
    day = _day(opened, at)
    found = campaign(opened.renewal.ledger(), day, rules=city_lights(opened.folder))
    towns: list[dict[str, Any]] = [
        {
            "town": one.town, "projects": one.projects, "lights": dict(one.lights), "rank": one.rank,
            "share_planned": one.share_planned, "share_actual": one.share_actual, "points": one.points,
            "signing": one.signing.rate,
            "orders": {"open": one.orders_open, "overdue": one.orders_overdue},
        }
        for one in (*found.towns, found.totals)
    ]  # fmt: skip
    if as_json:
        print_json({"at": day.isoformat(), "towns": towns[:-1], "totals": towns[-1]})
        return
    table = folding_table(
        "town", "rank", "projects", "lights", "planned", "done", "signed", "orders", "overdue"
    )
    for one in towns:
        lights, orders = one["lights"], one["orders"]
        table.add_row(
            escape(one["town"] or "all"), str(one["rank"] or ""), str(one["projects"]),
            ", ".join(f"{count} {light}" for light, count in lights.items() if count),
            *(_percent(one[name]) for name in ("share_planned", "share_actual", "signing")),
            str(orders["open"]), str(orders["overdue"]),
        )  # fmt: skip
    Console().print(table)


def _anywhere(_: str) -> None:
    """Whoever has the city's folder may do anything with it."""


def _day(city: City, given: datetime | None) -> date:
    from server.renewal.asked import today  # brings the web framework

    return given.date() if given else today(city)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _print(report: Report) -> None:
    if report.findings:
        table = folding_table("sheet", "row", "column", "severity", "what")
        for one in report.findings:
            table.add_row(
                escape(one.place.sheet), str(one.place.row), escape(one.place.column), one.severity,
                escape(one.sentence),
            )  # fmt: skip
        Console().print(table)
    what = "recorded" if report.applied else "nothing recorded"
    typer.echo(
        f"{report.rows} rows, {report.accepted} right, {report.errors} wrong, "
        f"{report.changes} changes: {what}"
    )


def _end(report: Report) -> None:
    """Say by the exit code that rows were wrong."""
    if report.errors:
        raise typer.Exit(PARTLY if report.applied else EXIT_CODES[InvalidInput])
