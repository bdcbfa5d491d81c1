"""`cim versions`, `cim compare` and `cim rollback`: what a layer was, and the way back."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cim_core.city import City
from cim_core.comparison import KINDS, compare_versions
from server.cli_audited import audited
from server.cli_parts import CityOption, JsonOption, print_json
from server.comparisons import as_text, entry, head, table
from server.describe import roll_back_entry, version_entry

_ROWS = 50

LayerArgument = Annotated[str, typer.Argument(help="The layer's id.")]


def versions(layer: LayerArgument, city: CityOption, as_json: JsonOption = False) -> None:
    """List the kept versions of a layer, newest first, and its roll-backs."""
    layers = City.open(city).layers
    kept, roll_backs = layers.versions(layer), layers.roll_backs(layer)
    if as_json:
        print_json(
            {
                "versions": [version_entry(item) for item in kept],
                "rollbacks": [roll_back_entry(item) for item in roll_backs],
            }
        )
        return
    shown = Table("version", "served", "published", "features", "kB of tiles", "receipt")
    for item in kept:
        shown.add_row(
            str(item.version), "yes" if item.current else "", item.published,
            str(item.summary["features"]), f"{item.summary['tileset']['bytes'] / 1024:.0f}",
            item.receipt,
        )  # fmt: skip
    out = Console()
    out.print(shown)
    for back in roll_backs:
        out.print(
            f"{back.when}: from version {back.before} back to {back.after}, by {escape(back.who or '')}, "
            f"receipt {back.receipt}",
            highlight=False,
        )


def compare(
    layer: LayerArgument,
    before: Annotated[int, typer.Argument(help="The older version.")],
    after: Annotated[int, typer.Argument(help="The newer version.")],
    city: CityOption,
    csv: Annotated[
        Path | None, typer.Option(help="Write every change to this file as CSV, too.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what differs between two versions of a layer, feature by feature."""
    comparison = compare_versions(City.open(city), layer, before, after)
    if csv is not None:
        csv.write_bytes(table(comparison.changes))
    entries = [entry(change) for change in comparison.changes]
    if as_json:
        print_json({**head(comparison), "changes": entries})
        return
    out = Console()
    counts = comparison.counts()
    out.print(", ".join(f"{counts[kind]} {kind}" for kind in (*KINDS, "unchanged")))
    if not entries:
        return
    shown = Table("change", "class", "name", "id", "what")
    for item in entries[:_ROWS]:
        shown.add_row(
            ", ".join(item["kinds"]), item["class"], escape(item["name"]), item["id"],
            escape("\n".join(_details(item))),
        )  # fmt: skip
    out.print(shown)
    if len(entries) > _ROWS:
        out.print(f"and {len(entries) - _ROWS} more; --csv FILE or --json gives all of them")


def _details(item: dict[str, Any]) -> list[str]:
    lines = []
    if item["displacement"] is not None:
        east, north, up = item["displacement"]
        lines.append(f"by {east:.3f} m east, {north:.3f} m north, {up:.3f} m up")
        if item["rotation"]:
            lines.append(f"turned by {item['rotation']:g}°")
    for change in item["properties"]:
        name = f"{change['set']}.{change['property']}" if change["set"] else change["property"]
        lines.append(f"{name}: {_told(change, 'before')} → {_told(change, 'after')}")
    return lines


def _told(change: dict[str, Any], when: str) -> str:
    if when not in change:
        return "–"
    value, unit = as_text(change[when]), change[f"unit_{when}"]
    return f"{value} {unit}" if unit else str(value)


def rollback(
    layer: LayerArgument,
    version: Annotated[int, typer.Argument(help="The kept version to serve again.")],
    city: CityOption,
    as_json: JsonOption = False,
) -> None:
    """Serve a kept version of a layer again, at once; nothing is removed."""
    opened = City.open(city)
    with audited(opened, "manage", "cim rollback", [layer], version=version):
        receipt = opened.roll_back(layer, version)
    if as_json:
        print_json(
            {"layer": layer, "version": version, "rollback": receipt.id if receipt else None}
        )
    elif receipt is None:
        Console().print(f"layer {layer}: version {version} is served already")
    else:
        Console().print(
            f"layer {layer}: version {version} is served again instead of version "
            f"{receipt.parameters['from']}; receipt {receipt.id}",
            highlight=False,
        )
