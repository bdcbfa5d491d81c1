"""`cim analyse` and `cim analyses`: questions about a city."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analysis.analysis import Analysis
from analysis.registry import analyses, analysis_named
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.files import write_whole
from cim_core.progress import Progress
from server.cli_parts import CityOption, JsonOption, print_json, progress_bar
from server.outputs import media_type_of, written
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
    saved: Annotated[
        list[str] | None,
        typer.Option(
            "--save",
            help="output=FILE; a drawing as .svg, .png or .dxf, a table as .csv, a sketch as .geojson, anything as .json; "
            "may be repeated.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask an analysis, and keep the receipt of the answer."""
    inputs = dict(_parameter(text) for text in params or ())
    kind = analysis_named(name)
    files = [_file(text, kind) for text in saved or ()]
    opened = City.open(city)
    with progress_bar(name) as listener:
        executed = execute(opened, name, inputs, Progress(listener))
    for output, path, media_type in files:
        write_whole(path, written(output, executed.outputs[output], media_type))
    answer = executed.document
    if as_json:
        print_json(answer)
        return
    out = Console()
    for output, title in kind.outputs.items():
        _show(out, title["en"], answer[output])
    for _, path, _ in files:
        out.print(f"written to {path}", highlight=False)
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


def _file(text: str, kind: type[Analysis]) -> tuple[str, Path, str]:
    """What is to be saved: the name of an output, its file, the media type the file is to have."""
    name, equals, path = text.partition("=")
    if not (equals and path and name in kind.outputs):
        raise InvalidInput(
            f"--save {text} names no output of {kind.name}; write output=FILE with one of "
            f"{', '.join(kind.outputs)}"
        )
    return name, Path(path), media_type_of(Path(path))


def _show(out: Console, title: str, answer: dict[str, Any]) -> None:
    """A table as it is; of a grid the cells with most; that there is a drawing or a sketch."""
    if "svg" in answer or "features" in answer:
        out.print(f"{title}: save it with --save", highlight=False)
        return
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
