"""`renewal.db`: the file of a city's renewal, which its owner alone may read."""

import time
from pathlib import Path

from cim_core.store.begun_file import BegunFile
from cim_core.store.database import Layout
from cim_core.store.office_file import Clock

FILE_NAME = "renewal.db"

_LAYOUT = Layout(
    what="a city's renewal", sql="renewal.sql", version=1,
    application_id=0x43494D52, private=True,  # "CIMR"
)  # fmt: skip


class RenewalFile(BegunFile):
    """The file that holds projects, progress, households and orders, and all that was recorded."""

    def __init__(self, folder: Path, clock: Clock = time.time) -> None:
        super().__init__(folder / FILE_NAME, _LAYOUT)
        self.clock = clock

    def now(self) -> int:
        """The present moment, milliseconds since 1970."""
        return int(self.clock() * 1000)
