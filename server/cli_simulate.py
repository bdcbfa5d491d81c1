"""`cim simulate` and `cim things`: what happened once plays as if it happened now."""

from pathlib import Path
from typing import Annotated

import typer

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from cim_core.store.live_things import LAYER
from server.cli_audited import audited
from server.cli_parts import CityOption, err, progress_bar
from server.things_import import import_things, read_things

things = typer.Typer(no_args_is_help=True, help="Things that observe, and their datastreams.")


@things.command("import")
def import_document(
    file: Annotated[Path, typer.Argument(help="A JSON document of things, see the docs.")],
    city: CityOption,
) -> None:
    """Bring things with their datastreams into a city; what is there already is brought up to date."""
    opened = City.open(city)
    document = read_things(file)
    with audited(opened, "manage", "cim things import", file=file.name) as said:
        with progress_bar("things") as report:
            brought = import_things(opened.live, document, Progress(report))
        said |= {"new": brought.new, "changed": brought.changed}
    err.print(f"{brought.new} new, {brought.changed} changed, {brought.unchanged} as they were")
    there = {version.layer for version in opened.layers.current()} | {LAYER}
    missing = {stream.layer for stream in opened.live.streams().by_id.values()} - there
    if missing:
        named = ", ".join(sorted(missing))
        err.print(f"nobody sees the things of layers that are not there yet; import {named}")


def simulate(
    file: Annotated[Path, typer.Argument(help="A Parquet file: datastream, time, value.")],
    to: Annotated[
        str, typer.Option(help="Where to: http://…, a key in CIM_KEY, or mqtt://….")
    ] = "http://127.0.0.1:8000",
    speed: Annotated[
        float, typer.Option(min=0.01, max=3600, help="Seconds of the recording in one.")
    ] = 1.0,
    begins: Annotated[
        str, typer.Option(help="The time of day (UTC) that the recorded day begins at, HH:MM.")
    ] = "16:00",
    district: Annotated[
        str, typer.Option(help="The district in topics of MQTT.")
    ] = "sample",
    seconds: Annotated[
        int | None, typer.Option(min=1, help="End after so many seconds; else when interrupted.")
    ] = None,
) -> None:  # fmt: skip
    """Play the last day of a recording over and over as if it happened now."""
    from server.simulate import play, receiver_at, recorded

    recording = recorded(file)
    receiver = receiver_at(to, district)
    try:
        with progress_bar("playing") as report:
            play(
                recording,
                receiver,
                Progress(report),
                begins=_of_day(begins),
                speed=speed,
                ticks=seconds,
            )
    finally:
        receiver.close()


def _of_day(text: str) -> int:
    hours, _, minutes = text.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60):
        raise InvalidInput(f"{text!r} is no time of day; give hours and minutes, as in 16:00")
    return (int(hours) * 60 + int(minutes)) * 60_000
