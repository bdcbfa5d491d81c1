"""`cim checkup`: the city is examined, check-ups are looked at, compared, submitted and reported."""

from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.markup import escape

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.files import write_whole
from server.checkup.figures import Form, Language, figure_text
from server.checkup.order import CHECKUP, Order
from server.cli_audited import audited
from server.cli_import import done
from server.cli_parts import CityOption, JsonOption, err, folding_table, print_json
from server.worker import owner_name

checkup = typer.Typer(no_args_is_help=True, help="The city check-up: examine, compare, report.")

RunArgument = Annotated[str, typer.Argument(help="A check-up's id.", show_default=False)]
LangOption = Annotated[Language, typer.Option(help="zh or en.")]


@checkup.command()
def run(
    set_: Annotated[
        str, typer.Option("--set", help="The set of indicators, as `cim checkup sets` names it.")
    ],
    year: Annotated[int, typer.Option(help="The year that is examined.")],
    city: CityOption,
    title: Annotated[str, typer.Option(help="What it is called, if anything.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Examine the city by a set of indicators; what did not change is not computed again."""
    from server.checkup.told import run_detail

    opened = City.open(city)
    made = order_run(opened, Order(set_, year, title), f"{set_} {year}", "cim checkup run")
    told = run_detail(opened, opened.checkups.run(made))
    if as_json:
        print_json(told)
    else:
        _print_run(told, "en")


def order_run(city: City, order: Order, name: str, command: str) -> str:
    """Examine as a job like the server's; the id of the run. Raises the `CimError` it failed with."""
    from server.checkup.sets import found_set

    found_set(city, order.set)
    owner = owner_name()
    job = city.jobs.add(CHECKUP, None, None, order.as_parameters(), owner=owner)
    report = done(city, job, owner, name, command=command)
    return str(report["run"])


@checkup.command("list")
def list_runs(city: CityOption, as_json: JsonOption = False) -> None:
    """List the check-ups, the newest first."""
    from server.checkup.told import run_summary

    opened = City.open(city)
    counts = opened.checkups.problems.counts()
    runs = [run_summary(opened, one, counts.get(one.id, {})) for one in opened.checkups.runs()]
    if as_json:
        print_json({"runs": runs})
        return
    table = folding_table(
        "check-up", "set", "year", "state", "ready", "partly", "not", "met", "failed", "open"
    )
    for one in runs:
        told = one["counts"]
        figures = (told["ready"], told["partial"], told["unavailable"], told["met"], told["failed"])
        table.add_row(
            one["id"], escape(one["set"]), str(one["year"]), one["state"], *map(str, figures),
            str(one["problems"]["open"]),
        )  # fmt: skip
    Console().print(table)


@checkup.command()
def show(
    run: RunArgument, city: CityOption, lang: LangOption = "en", as_json: JsonOption = False
) -> None:
    """Show every indicator of a check-up with its value, denominator and target."""
    from server.checkup.told import run_detail

    opened = City.open(city)
    told = run_detail(opened, opened.checkups.run(run))
    if as_json:
        print_json(told)
    else:
        _print_run(told, lang)


@checkup.command()
def submit(run: RunArgument, city: CityOption) -> None:
    """Submit a check-up: from then on it never changes."""
    from server.checkup.sets import require_final

    opened = City.open(city)
    with audited(opened, "manage", "cim checkup submit", checkup=run):
        require_final(opened, opened.checkups.run(run))
        opened.checkups.submit(run)
    err.print(f"{run}: submitted", highlight=False)


@checkup.command()
def compare(
    first: Annotated[str, typer.Argument(help="The earlier check-up.", show_default=False)],
    second: Annotated[str, typer.Argument(help="The later one.", show_default=False)],
    city: CityOption,
    lang: LangOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Compare two check-ups, indicator by indicator; a change of method is said."""
    from server.checkup.reading import compared

    told = compared(City.open(city), first, second)
    if as_json:
        print_json(told)
        return
    table = folding_table("code", "indicator", first, second, "change", "better", "method")
    for one in told["changes"]:
        values = [_value(one[side], one["decimals"]) for side in ("from", "to")]
        change = figure_text(one["change"], one["decimals"])
        better = {True: "yes", False: "no", None: ""}[one["better"]]
        what = one["what"][lang] if one["what"] else ""
        name = escape(one["name"][lang])
        table.add_row(one["code"], name, *values, change, better, escape(what))
    Console().print(table)


@checkup.command()
def report(
    run: RunArgument,
    out: Annotated[Path, typer.Argument(help="Where to write it: .docx, .xlsx, .pdf or .parquet.")],
    city: CityOption,
    lang: LangOption = "zh",
) -> None:
    """Write the report of a check-up, or all its values as GeoParquet."""
    from server.checkup.reports import written
    from server.checkup.values_file import values_file

    opened = City.open(city)
    found = opened.checkups.run(run)
    ending = out.suffix.lower().removeprefix(".")
    forms: dict[str, Form] = {form: form for form in get_args(Form)}
    if ending not in (*forms, "parquet"):
        raise InvalidInput(
            f"{out}: a check-up cannot be saved under this ending; end the name with .docx, .xlsx, .pdf or "
            ".parquet"
        )
    with audited(opened, "export", "cim checkup report", checkup=run):
        parquet = ending == "parquet"
        content = (
            values_file(opened, found, "")
            if parquet
            else written(opened, found, forms[ending], lang)
        )
        write_whole(out, content)
    err.print(f"{out}: {len(found.codes)} indicators", highlight=False)


@checkup.command()
def sets(city: CityOption, as_json: JsonOption = False) -> None:
    """List the sets of indicators: those that ship, those in the city's folder, its own drafts."""
    from server.checkup.sets import all_sets

    told = [one.summary() for one in all_sets(City.open(city))]
    if as_json:
        print_json({"sets": told})
        return
    table = folding_table("set", "version", "state", "system", "year", "indicators", "name")
    for one in told:
        problem = one["problem"]
        year = "" if one["year"] is None else str(one["year"])
        table.add_row(
            one["id"], str(one["version"]), one["state"], escape(one["system"]), year,
            "" if problem else str(one["indicators"]),
            escape(f"cannot be used: {problem['en']}" if problem else one["name"]["en"]),
        )  # fmt: skip
    Console().print(table)


def _print_run(told: dict[str, Any], lang: Language) -> None:
    table = folding_table("code", "indicator", "value", "unit", "target", "met", "of", "data")
    for one in told["indicators"]:
        value, target = one["value"], one["target"]
        recalled = target is not None and target["confidence"] == "recalled"
        wanted = "" if target is None else f"{target['value']:g}{' (recalled)' if recalled else ''}"
        name = one["name"][lang] + (" (proxy)" if one["proxy"] else "")
        table.add_row(
            one["code"], escape(name), _value(value, one["decimals"]), escape(one["unit"][lang]), wanted,
            {True: "yes", False: "no", None: ""}[value["met"]], figure_text(value["denominator"], 0),
            value["reason_text"][lang] if value["reason_text"] else value["status"],
        )  # fmt: skip
    Console().print(table)
    counts, problems = told["counts"], told["problems"]
    typer.echo(
        f"{told['id']} ({told['state']}): {counts['ready']} ready, {counts['partial']} in part, "
        f"{counts['unavailable']} not available; {problems['open']} problems open"
    )


def _value(value: dict[str, Any] | None, decimals: int) -> str:
    return "" if value is None else figure_text(value["value"], decimals)
