"""`cim about`: what is known about a layer besides its content."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cim_core.about import about_changes
from cim_core.city import City
from cim_core.errors import InvalidInput
from server.cli_audited import audited
from server.cli_parts import CityOption, JsonOption, print_json


def about(
    layer: Annotated[str, typer.Argument(help="The layer's id.")],
    city: CityOption,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value; name= takes back what was said; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is known about a layer, or change it; a change takes no new version."""
    opened = City.open(city)
    receipt = None
    if changes:
        said = about_changes(dict(_change(text) for text in changes))
        with audited(opened, "edit", "cim about", [layer], about=dict(said)):
            receipt = opened.describe(layer, said).id
    known = asdict(opened.layers.get(layer).about)
    if as_json:
        print_json({"layer": layer, **known, "receipt": receipt})
        return
    shown = Table(show_header=False)
    for name, value in known.items():
        shown.add_row(name, "" if value is None else escape(str(value)))
    Console().print(shown)


def _change(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise InvalidInput(f"--set {text} says nothing; write name=value, as in licence=CC0")
    return name, value or None
