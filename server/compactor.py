"""`python -m server.compactor`: makes history of what is no longer new, in a process of its own."""

import argparse
import logging
import os
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path

from cim_core.city import City
from cim_core.errors import Cancelled, CimError
from cim_core.locks import locked_if_free
from cim_core.progress import Progress
from cim_core.store.history import AT_LEAST
from server.settings import Settings, load_settings

_TICK_SECONDS = 5.0
_TIDY_SECONDS = 3_600.0
_MERGE_SECONDS = 86_400.0
_DAY = 86_400_000
_ROOM = 0.9
"""Where too much is hot, so much of what may be stays."""

_log = logging.getLogger(__name__)


class Compactor:
    """Looks every few seconds whether there is something to be moved."""

    def __init__(self, city: City, settings: Settings, stop: threading.Event) -> None:
        self._city = city
        self._settings = settings
        self._stop = stop
        self._progress = Progress(cancelled=stop.is_set)
        self._tidied = time.monotonic()
        self._merged = time.monotonic() - _MERGE_SECONDS + _TIDY_SECONDS
        city.history.bound(settings.history_memory, settings.history_threads)

    def run(self, parent: int | None) -> None:
        """Until told to stop, or until the process that started this one is no more."""
        while not self._stop.is_set() and parent in (None, os.getppid()):
            try:
                self.turn()
            except Cancelled:
                return
            except (CimError, OSError, sqlite3.Error):
                _log.exception("history could not be written; trying again")
            self._stop.wait(_TICK_SECONDS)

    def turn(self) -> int:
        """Move what is old enough, and tidy up where it is time; how many rows were moved."""
        history, batches = self._city.history, self._city.live.batches
        now = time.time_ns() // 1_000_000
        hot = int(60_000 * self._settings.hot_minutes)
        moved = history.move(self._progress, AT_LEAST, now - hot)
        moved += history.move(self._progress, 1, now - max(hot, _DAY))
        most = self._settings.hot_rows
        if batches.count() > most:
            moved += history.shrink(self._progress, int(_ROOM * most))
        moved += self._move_traffic(now)
        clock = time.monotonic()
        if clock - self._merged >= _MERGE_SECONDS:
            history.maintain()
            self._merged = self._tidied = clock
        elif clock - self._tidied >= _TIDY_SECONDS:
            history.forget()
            self._tidied = clock
        return moved

    def _move_traffic(self, now: int) -> int:
        traffic = self._city.traffic.history
        hot = int(60_000 * self._settings.traffic_hot_minutes)
        moved = traffic.move(self._progress, now - hot)
        return moved + traffic.move(self._progress, now - max(hot, _DAY), 1)


def main() -> int:
    """`python -m server.compactor --city DIR`: what the server starts where there are observations."""
    parser = argparse.ArgumentParser(prog="server.compactor")
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--parent", type=int, help="End when this is no longer the parent process.")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides, not the terminal
    os.nice(5)  # who asks and who records goes first
    city = City.open(arguments.city)
    with locked_if_free(city.folder / ".locks" / "compactor.lock") as free:
        if free:
            Compactor(city, load_settings(), stop).run(arguments.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
