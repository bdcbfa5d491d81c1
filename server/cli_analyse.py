"""`cim analyse` and `cim analyses`: questions about a city."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analysis.registry import analyses, analysis_named
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from server.cli_parts import CityOption, JsonOption, print_json, progress_bar
from server.processes import description, execute, summary

_CELLS_SHOWN = 20


def list_analyses(as_json: JsonOption = False) -> None:
    """List the analyses there are, with their parameters."""
    kinds = analyses().values()
    if as_json:
        print_json({"processes": [summary(kind) for kind in kinds]})
        return
    shown = Table("analysis", "parameter", "what it is", "unit", "if not given")
    for kind in kinds:
        for name, given in description(kind)["inputs"].items():
            default = given["schema"].get("default", "")
            shown.add_row(
                kind.name, name, escape(given["description"]), given.get("unit", ""),
                "" if default == "" else json.dumps(default),
            )  # fmt: skip
    Console().print(shown)


def analyse(
    name: Annotated[str, typer.Argument(help="The analysis; `cim analyses` lists them.")],
    city: CityOption,
    params: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            help="name=value; the value as JSON, as text, or @FILE; may be repeated.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask an analysis, and keep the receipt of the answer."""
    inputs = dict(_parameter(text) for text in params or ())
    kind = analysis_named(name)
    opened = City.open(city)
    with progress_bar(name) as listener:
        answer = execute(opened, name, inputs, Progress(listener))
    if as_json:
        print_json(answer)
        return
    out = Console()
    for output, title in kind.outputs.items():
        _show(out, title["en"], answer[output])
    out.print(f"receipt {answer['receipt']['href'].rsplit('/', 1)[-1]}", highlight=False)


def _parameter(text: str) -> tuple[str, Any]:
    """A parameter of the command line: its name and its value."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise InvalidInput(f"--param {text} has no value; write name=value, as in radius=200")
    if value.startswith("@"):
        value = Path(value[1:]).read_text(encoding="utf-8")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _show(out: Console, title: str, answer: dict[str, Any]) -> None:
    """A table as it is; of a grid the cells with most."""
    if "columns" in answer:
        shown = Table(*(column["name"] for column in answer["columns"]), title=title)
        rows = answer["rows"]
    else:
        shown = Table("cell", "value", title=f"{title}, resolution {answer['resolution']}")
        cells = zip(answer["values"], answer["cells"], strict=True)
        rows = [(cell, f"{value:g}") for value, cell in sorted(cells, reverse=True)[:_CELLS_SHOWN]]
    for row in rows:
        shown.add_row(*("" if value is None else escape(_text(value)) for value in row))
    out.print(shown)
    if answer.get("next"):
        out.print(f"more with --param after={answer['next']}", highlight=False)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    return f"{value:.7g}" if isinstance(value, float) else str(value)
