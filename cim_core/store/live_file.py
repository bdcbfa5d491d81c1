"""`live.db`: the file of what a city feels, beside its registry, so that no import holds up a sensor."""

from pathlib import Path

from cim_core.store.begun_file import BegunFile
from cim_core.store.database import Layout

FILE_NAME = "live.db"

_LAYOUT = Layout(
    what="what a city feels", sql="live.sql", version=1, application_id=0x43494D4C  # "CIML"
)  # fmt: skip


class LiveFile(BegunFile):
    """The file that holds a city's things and the newest of what they observed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE_NAME, _LAYOUT)

    def number(self, key: str) -> int:
        """One of the file's counters, `generation` or `deleted`; 0 where there is no file."""
        row = self.row("SELECT value FROM meta WHERE key = ?", key)
        return int(row["value"]) if row else 0
