"""`cim check` and `cim rules`: the check-in of a file without publishing it."""

import json
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
from cim_core.tessellations import Tessellations
from server.checkin import Document, as_csv, as_geojson, counted, refusal, report, rule_entry
from server.cli_parts import EXIT_CODES, JsonOption, print_json, progress_bar
from server.importers import importer_for
from server.ingest import Upload, layer_id_for, parse_anchor, parse_options
from server.settings import load_settings
from server.sources import inputs_of

_ROWS_PER_RULE = 10
_COLORS = {"error": "red", "warning": "yellow", "note": "dim", "off": "dim"}

MaybeCity = Annotated[
    Path | None,
    typer.Option("--city", help="The city whose rules and place hold.", envvar="CIM_CITY"),
]


def check(
    file: Annotated[Path, typer.Argument(help="The file, or the folder of tables, to check.")],
    city: MaybeCity = None,
    crs: Annotated[
        str | None, typer.Option(help="The reference system of the coordinates, EPSG:4547.")
    ] = None,
    anchor: Annotated[
        str | None, typer.Option(help="Where the model's origin stands: lon,lat,height.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--as", help="What it is, where its name says too little: pipes, …"),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="What else is to be said of it, name=value; repeatable."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write the findings to this file as CSV, too.")
    ] = None,
    geojson: Annotated[
        Path | None, typer.Option(help="Write the findings to this file as a map layer, too.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a file as an import would, and publish nothing; the exit code is 4 if it is refused."""
    if not file.exists():
        raise errors.NotFound(f"there is no file {file}; check the path")
    path = file.resolve()
    upload = Upload(
        path, path.name, layer_id_for(f"{path.name}.d" if path.is_dir() else path.name), path.stem,
        crs, parse_anchor(anchor), kind, parse_options(option or ()),
    )  # fmt: skip
    document = _checked(upload, city)
    if csv is not None:
        csv.write_bytes(as_csv(document))
    if geojson is not None:
        geojson.write_text(json.dumps(as_geojson(document), ensure_ascii=False), encoding="utf-8")
    if as_json:
        print_json(document)
    else:
        _show(document)
    if document["refused"]:
        if as_json:  # the document says it all; a second one would spoil stdout
            raise SystemExit(EXIT_CODES[errors.InvalidInput])
        raise refusal(document)


def _checked(upload: Upload, folder: Path | None) -> Document:
    importer = importer_for(upload.filename, upload.path, upload.kind)
    city = None if folder is None else City.open(folder)
    rules = default_rules() if city is None else city.rules
    placement = (
        Placement(crs=upload.crs, anchor=upload.anchor)
        if city is None
        else city.placement(upload.layer_id, upload.crs, upload.anchor)
    )
    crew = load_settings().crew()
    earlier = Tessellations() if city is None else city.tessellations(upload.layer_id)
    with TemporaryDirectory() as scratch, progress_bar(upload.filename) as listener:
        source = Source(
            upload.path, upload.filename, upload.layer_id, upload.title, crew, rules, earlier,
            Path(scratch), options=upload.options,
        )  # fmt: skip
        layer = importer(source, placement, Progress(listener))
    return report(layer, rules, inputs_of(upload.path, upload.filename)[0])


def _show(document: Document) -> None:
    out = Console()
    table = Table("severity")
    for name in ("rule", "element", "where", "finding"):
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
                f"[{_COLORS[severity]}]{severity}[/]", rule,
                escape(finding["id"] or finding["name"]), escape(_where(finding)),
                escape(finding["en"]),
            )  # fmt: skip
    if table.row_count:
        out.print(table)
    for rule in document["rules"]:
        if rule["count"] > _ROWS_PER_RULE:
            out.print(f"… {rule['count'] - _ROWS_PER_RULE} more of {rule['id']}", highlight=False)
    out.print(
        f"[bold]{escape(document['file'])}[/]: {counted(document['counts'])}", highlight=False
    )


def _where(finding: Document) -> str:
    if finding["table"]:
        return f"{finding['table']}:{finding['line'] or ''}".rstrip(":")
    return str(finding["storey"] or "")


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
