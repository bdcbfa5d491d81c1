"""A recording of traffic that plays over and over while the server runs, for a city to be looked at."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cim_core.errors import Cancelled, TooMany
from cim_core.progress import Progress
from cim_core.traffic.moving import Moving
from server.traffic.given import GivenTraffic
from server.traffic.recorder import TrafficRecorder
from server.traffic.replay import Send, play, recorded


class Playing:
    """Plays `LAYER=FILE` into the recorder; nothing where that is None."""

    def __init__(self, recorder: TrafficRecorder, what: str | None) -> None:
        self._recorder = recorder
        self._what = what

    async def run(self) -> None:
        """Until cancelled."""
        if self._what is None:
            return
        layer, _, file = self._what.partition("=")
        stop = threading.Event()
        try:
            await asyncio.to_thread(self._play, layer, Path(file), stop)
        finally:
            stop.set()

    def _play(self, layer: str, file: Path, stop: threading.Event) -> None:
        recording = recorded(file, self._recorder.names(layer))
        progress = Progress(cancelled=stop.is_set)

        def waits(seconds: float) -> None:
            if stop.wait(seconds):
                raise Cancelled("the server stops")

        send = sends_into(self._recorder, layer, waits)
        try:
            play(recording, send, progress, loop=True, wait=waits)
        except Cancelled:
            return


def sends_into(
    recorder: TrafficRecorder, layer: str, wait: Callable[[float], None] = time.sleep
) -> Send:
    """What hands rows to a recorder of this process, as soon as it has room."""

    def send(rows: list[Moving]) -> None:
        given = GivenTraffic(layer, "replay", tuple(rows))
        while True:
            try:
                waiting = recorder.submit(given)
            except TooMany as error:
                wait(error.seconds)
            else:
                waiting.result()
                return

    return send
