"""`python -m tests.support.compacting CITY`: for each line it is given, a compactor that never rests.

Each is a fork, since starting an interpreter takes longer than what there is to be killed in.
"""

import os
import sys
import threading
from pathlib import Path

import cim_core.store.history_lake
import cim_core.store.history_questions  # noqa: F401 – loaded once, before the first fork
from cim_core.city import City
from server.compactor import Compactor
from server.settings import load_settings


def main() -> None:
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            city = City.open(Path(sys.argv[1]))
            compactor = Compactor(city, load_settings(hot_rows=1), threading.Event())
            while True:
                compactor.turn()
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
