"""`checkup.db`: the file of a city's check-ups, which its owner alone may read."""

import time
from pathlib import Path

from cim_core.store.begun_file import BegunFile
from cim_core.store.database import Layout
from cim_core.store.office_file import Clock

FILE_NAME = "checkup.db"

_LAYOUT = Layout(
    what="a city's check-ups", sql="checkup.sql", version=1,
    application_id=0x43494D43, private=True,  # "CIMC"
)  # fmt: skip


class CheckupFile(BegunFile):
    """The file that holds sets of indicators, runs, their values and what was found wrong."""

    def __init__(self, folder: Path, clock: Clock = time.time) -> None:
        super().__init__(folder / FILE_NAME, _LAYOUT)
        self.clock = clock

    def now(self) -> int:
        """The present moment, milliseconds since 1970."""
        return int(self.clock() * 1000)
