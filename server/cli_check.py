"""`cim check` and `cim rules`: the check-in of a file without publishing it."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cim_core import errors
from cim_core.checkin import default_rules
from cim_core.city import City
from cim_core.layer import Placement, Source
from cim_core.progress import Progress
from cim_core.receipt import hash_file
from cim_core.tessellations import Tessellations
from server.checkin import Document, as_csv, counted, refusal, report, rule_entry
from server.cli_parts import EXIT_CODES, JsonOption, print_json, progress_bar
from server.importers import importer_for
from server.ingest import layer_id_for, parse_anchor
from server.settings import load_settings

_ROWS_PER_RULE = 10
_COLORS = {"error": "red", "warning": "yellow", "note": "dim", "off": "dim"}

MaybeCity = Annotated[
    Path | None,
    typer.Option("--city", help="The city whose rules and place hold.", envvar="CIM_CITY"),
]


def check(
    file: Annotated[Path, typer.Argument(help="The file to check.")],
    city: MaybeCity = None,
    crs: Annotated[
        str | None, typer.Option(help="The reference system of the coordinates, EPSG:4547.")
    ] = None,
    anchor: Annotated[
        str | None, typer.Option(help="Where the model's origin stands: lon,lat,height.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write the findings to this file as CSV, too.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a file as an import would, and publish nothing; the exit code is 4 if it is refused."""
    if not file.is_file():
        raise errors.NotFound(f"there is no file {file}; check the path")
    document = _checked(file, city, crs, anchor)
    if csv is not None:
        csv.write_bytes(as_csv(document))
    if as_json:
        print_json(document)
    else:
        _show(document)
    if document["refused"]:
        if as_json:  # the document says it all; a second one would spoil stdout
            raise SystemExit(EXIT_CODES[errors.InvalidInput])
        raise refusal(document)


def _checked(file: Path, folder: Path | None, crs: str | None, anchor: str | None) -> Document:
    importer = importer_for(file.name)
    layer_id = layer_id_for(file.name)
    place = parse_anchor(anchor)
    city = None if folder is None else City.open(folder)
    rules = default_rules() if city is None else city.rules
    placement = (
        Placement(crs=crs, anchor=place) if city is None else city.placement(layer_id, crs, place)
    )
    crew = load_settings().crew()
    earlier = Tessellations() if city is None else city.tessellations(layer_id)
    with TemporaryDirectory() as scratch, progress_bar(file.name) as listener:
        source = Source(
            file.resolve(), file.name, layer_id, file.stem, crew, rules, earlier, Path(scratch)
        )
        layer = importer(source, placement, Progress(listener))
    return report(layer, rules, hash_file(file, file.name))


def _show(document: Document) -> None:
    out = Console()
    table = Table("severity")
    for name in ("rule", "element", "storey", "finding"):
        table.add_column(name, overflow="fold")
    shown: Counter[str] = Counter()
    for severity in ("error", "warning", "note"):
        for finding in document["findings"]:
            rule = finding["rule"]
            if finding["severity"] != severity:
                continue
            shown[rule] += 1
            if shown[rule] > _ROWS_PER_RULE:
                continue
            table.add_row(
                f"[{_COLORS[severity]}]{severity}[/]", rule, escape(finding["id"] or ""),
                escape(finding["storey"] or ""), escape(finding["en"]),
            )  # fmt: skip
    if table.row_count:
        out.print(table)
    for rule in document["rules"]:
        if rule["count"] > _ROWS_PER_RULE:
            out.print(f"… {rule['count'] - _ROWS_PER_RULE} more of {rule['id']}", highlight=False)
    out.print(
        f"[bold]{escape(document['file'])}[/]: {counted(document['counts'])}", highlight=False
    )


def rules(city: MaybeCity = None, as_json: JsonOption = False) -> None:
    """List the check-in rules in force, those of a city or those this program brings."""
    in_force = default_rules() if city is None else City.open(city).rules
    if as_json:
        print_json({"rules": [rule_entry(rule) for rule in in_force.values()]})
        return
    table = Table()
    for name in ("rule", "severity", "refuses", "thresholds", "finds"):
        table.add_column(name, overflow="fold")
    for rule in in_force.values():
        limits = ", ".join(
            f"{name} = {_limit(limit.value)} {limit.unit}".strip()
            for name, limit in rule.thresholds.items()
        )
        table.add_row(
            rule.id, f"[{_COLORS[rule.severity]}]{rule.severity}[/]", "yes" if rule.refuse else "",
            escape(limits), rule.title["en"],
        )  # fmt: skip
    Console().print(table)


def _limit(value: float | tuple[str, ...]) -> str:
    return ", ".join(value) if isinstance(value, tuple) else f"{value:g}"
