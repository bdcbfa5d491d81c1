"""`cim alarms`: what must be looked at, and the rules it comes of."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from cim_core.alarms.rule import LEVELS
from cim_core.alarms.rules import FILE_NAME, RuleBook, city_rules
from cim_core.city import City
from cim_core.sight import EVERYTHING
from cim_core.store.live_alarms import Asked
from server.alarms import rule_document, rules_document
from server.cli_parts import CityOption, JsonOption, folding_table, print_json

alarms = typer.Typer(no_args_is_help=True, help="Alarms, and the rules they come of.")


@alarms.command("list")
def list_alarms(
    city: CityOption,
    state: Annotated[
        Literal["open", "closed", "all"], typer.Option(help="Which: open, closed or all.")
    ] = "open",
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List alarms, the newest first."""
    found = City.open(city).live.alarms.find(Asked(state, limit=limit))
    if as_json:
        print_json({"alarms": [alarm.document(EVERYTHING) for alarm in found]})
        return
    table = folding_table("id", "level", "state", "raised", "message")
    for alarm in found:
        raised = datetime.fromtimestamp(alarm.raised / 1000, UTC)
        state_text = alarm.state if alarm.active else f"{alarm.state}, over"
        table.add_row(
            str(alarm.id), f"{alarm.level} {LEVELS[alarm.level]['en']}", state_text,
            f"{raised:%Y-%m-%d %H:%M:%S}", escape(alarm.message["en"]),
        )  # fmt: skip
    Console().print(table)


@alarms.command()
def rules(city: CityOption, as_json: JsonOption = False) -> None:
    """List the rules that hold: the program's, as the city's alarms.toml changes them."""
    opened = City.open(city)
    if as_json:
        print_json(rules_document(RuleBook(opened.folder)))
        return
    table = folding_table("rule", "level", "kind", "for", "limit", "source", "from")
    for rule in city_rules(opened.folder).values():
        said = rule_document(rule)
        speaks_of = " ".join(
            "/".join(said[name]) for name in ("class", "property", "layer", "key") if said[name]
        )
        limit = " ".join(
            f"{name} {said[name]:g}"
            for name in ("above", "below", "per", "window", "intervals", "at_least", "of")
            if name in said
        )
        table.add_row(
            rule.id, str(rule.level), rule.kind, escape(speaks_of) or "all", limit,
            escape(f"{rule.source} ({rule.confidence})"), rule.origin,
        )  # fmt: skip
    Console().print(table)


@alarms.command()
def check(city: CityOption) -> None:
    """Look whether the city's alarms.toml can be used; says what is wrong if it cannot."""
    opened = City.open(city)
    found = city_rules(opened.folder)
    own = sum(rule.origin != "program" for rule in found.values())
    where = FILE_NAME if (opened.folder / FILE_NAME).is_file() else f"no {FILE_NAME}"
    typer.echo(f"{len(found)} alarm rules hold, {own} of them from the city ({where})")
