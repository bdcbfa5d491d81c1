"""`cim audit`: what was done in a city, and whether the log of it is as it was written."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.files import write_whole
from cim_core.store.office_audit import AuditQuery, Entry
from cim_core.store.office_file import moment
from server.access.gate import Gate
from server.audit_files import as_csv, as_jsonl
from server.cli_audited import audited
from server.cli_parts import BROKEN, CityOption, JsonOption, err, folding_table, print_json

log = typer.Typer(no_args_is_help=True, help="The log: what was done, by whom.")

_WRITERS = {".csv": as_csv, ".jsonl": as_jsonl}
_DAY = 86_400.0

SinceOption = Annotated[
    str | None, typer.Option(help="From this time on, UTC, as 2026-11-22 or 2026-11-22T08:00.")
]
UntilOption = Annotated[str | None, typer.Option(help="Before this time.")]
PersonOption = Annotated[str | None, typer.Option(help="The name or id of a person.")]
VerbOption = Annotated[str | None, typer.Option(help="A word of the policy, as export.")]
ResultOption = Annotated[str | None, typer.Option(help="ok, denied or failed.")]
LayerOption = Annotated[str | None, typer.Option(help="The id of a layer.")]
TextOption = Annotated[str | None, typer.Option("--text", help="What stands anywhere in it.")]


@log.command("list")
def list_entries(
    city: CityOption,
    since: SinceOption = None,
    until: UntilOption = None,
    person: PersonOption = None,
    verb: VerbOption = None,
    result: ResultOption = None,
    layer: LayerOption = None,
    text: TextOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what was done, newest first."""
    query = AuditQuery(since, until, person, verb, result, layer, text)
    entries, _, total = City.open(city).office.audit.find(query, limit)
    if as_json:
        print_json({"entries": [entry.as_dict() for entry in entries], "total": total})
        return
    table = folding_table("row", "when", "who", "from", "what", "layers", "result")
    for entry in entries:
        table.add_row(
            str(entry.seq), entry.at[:19], escape(entry.name or entry.via), escape(_origin(entry)),
            escape(entry.what), ", ".join(entry.layers), entry.result,
        )  # fmt: skip
    Console().print(table)
    if total > len(entries):
        Console().print(
            f"and {total - len(entries)} older; --limit shows more, `cim audit export` all"
        )


@log.command()
def verify(
    city: CityOption,
    head: Annotated[
        str | None, typer.Option(help="The head that an earlier verification gave.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Go through the whole log and say whether every row is there and as it was written.

    Note the head it gives in another place: with it a later verification finds that the end was cut
    off, or all of it written anew.
    """
    opened = City.open(city)
    found = opened.office.audit.verify(head)
    with audited(opened, "audit", "cim audit verify", intact=found.intact):
        if as_json:
            print_json(found.as_dict())
        elif found.intact:
            Console().print(
                f"{found.entries} rows ({found.first} to {found.last}) are as they were written; head "
                f"{found.head}" if found.entries else "the log is empty",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
        else:
            err.print(f"[bold red]the log is broken:[/] {found.reason}", soft_wrap=True)
    if not found.intact:
        raise SystemExit(BROKEN)


@log.command()
def export(
    file: Annotated[Path, typer.Argument(help="What to write: .csv or .jsonl.")],
    city: CityOption,
    since: SinceOption = None,
    until: UntilOption = None,
    person: PersonOption = None,
    verb: VerbOption = None,
    result: ResultOption = None,
    layer: LayerOption = None,
    text: TextOption = None,
) -> None:
    """Write the log to a file, oldest first."""
    writer = _WRITERS.get(file.suffix.lower())
    if writer is None:
        raise InvalidInput(f"{file} is neither .csv nor .jsonl; name it by what it is to be")
    opened = City.open(city)
    query = AuditQuery(since, until, person, verb, result, layer, text)
    with audited(opened, "audit", "cim audit export", file=file.name):
        lines = writer(opened.office.audit.entries(query))
        write_whole(file, lambda out: out.writelines(line.encode() for line in lines))


@log.command()
def prune(
    city: CityOption,
    days: Annotated[
        int | None, typer.Option(help="How many days are kept; as the policy says if not given.")
    ] = None,
) -> None:
    """Delete what is older than the policy lets the log be; the rest still hangs together."""
    opened = City.open(city)
    least = Gate(opened).in_force.policy.limits.audit_days
    kept = least if days is None else days
    if kept < least:
        raise InvalidInput(
            f"the policy of this city keeps the log for {least} days, so {kept} are too few; change "
            "limits.audit_days of the policy, or keep more"
        )
    office = opened.office
    with audited(opened, "audit", "cim audit prune", days=kept) as said:
        before = moment(office.clock() - kept * _DAY)
        said["before"] = before
        said["rows"] = removed = office.audit.prune(before)
    Console().print(f"{removed} rows from before {before} are gone", highlight=False)


def _origin(entry: Entry) -> str:
    return " ".join(part for part in (entry.via, entry.address) if part)
