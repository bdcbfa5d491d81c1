"""`cim replay`: traffic that was recorded plays as if it happened now."""

from pathlib import Path
from typing import Annotated

import typer

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from server.cli_audited import audited
from server.cli_parts import err, progress_bar
from server.settings import load_settings


def replay(
    file: Annotated[
        Path, typer.Argument(help="A log of messages, a script, SUMO's positions, a recording.")
    ],
    layer: Annotated[str, typer.Option(help="The layer of its road map.")],
    to: Annotated[
        str | None, typer.Option(help="Where to: http://…, a key in CIM_KEY, or mqtt://….")
    ] = None,
    city: Annotated[
        Path | None, typer.Option(help="The city's folder, if it is not sent anywhere.")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.01, max=3600, help="Seconds of the recording in one.")
    ] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Over and over, until interrupted.")] = False,
) -> None:
    """Play recorded traffic as if it happened now, into a city, to a server or to a broker."""
    from server.traffic.plain import sends_to
    from server.traffic.playing import sends_into
    from server.traffic.recorder import TrafficRecorder
    from server.traffic.replay import play, recorded

    if (to is None) == (city is None):
        raise InvalidInput("say where the traffic goes: --to http://…, --to mqtt://… or --city DIR")
    if to is not None:
        recording = recorded(file)
        send, receiver = sends_to(to, layer)
        try:
            with progress_bar("playing") as report:
                sent = play(recording, send, Progress(report), speed=speed, loop=loop)
        finally:
            receiver.close()
    else:
        assert city is not None
        opened = City.open(city)
        opened.layers.get(layer)
        with audited(opened, "record", "cim replay", [layer], file=file.name) as said:
            recorder = TrafficRecorder(opened, load_settings(city=city))
            recording = recorded(file, recorder.expected_names(layer))
            recorder.start()
            try:
                with progress_bar("playing") as report:
                    send = sends_into(recorder, layer)
                    sent = play(recording, send, Progress(report), speed=speed, loop=loop)
            finally:
                recorder.stop()
            said["rows"] = sent
    err.print(f"{sent:,} rows played")
