"""`traffic.db`: the file of what moves on the roads, beside `live.db`, so that neither holds up the other."""

from pathlib import Path

from cim_core.store.begun_file import BegunFile
from cim_core.store.database import Layout

FILE_NAME = "traffic.db"

_LAYOUT = Layout(
    what="what moves on the roads", sql="traffic.sql", version=1, application_id=0x43494D54  # "CIMT"
)  # fmt: skip


class TrafficFile(BegunFile):
    """The file that holds the newest of what moved, and traffic events."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FILE_NAME, _LAYOUT)

    def forgotten(self, layer: str) -> int:
        """Until when, milliseconds since 1970, what moved on a layer is forgotten; 0 for never."""
        row = self.row("SELECT until FROM forgotten WHERE layer = ?", layer)
        return int(row["until"]) if row else 0

    @property
    def id(self) -> str:
        """What tells it from another `traffic.db` of the same city; empty where it has none, or is none."""
        row = self.row("SELECT value FROM meta WHERE key = 'file'")
        return str(row["value"]) if row else ""
