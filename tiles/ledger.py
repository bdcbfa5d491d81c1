"""What was tiled before: a tile made of the same things is not made again.

The key of a tile is a hash of all it is made from and of the code that makes it, so a tile that is
found is the tile that would be written.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from cim_core.files import write_whole
from tiles import meshopt

FILE_NAME = "ledger.json"


class Entry(TypedDict):
    """A tile's content as it was written."""

    content: str
    bytes: int
    packed: int
    triangles: int
    shift: float
    error: float


class Ledger:
    """The tiles of the version before, and those of the one being made."""

    def __init__(self, before: Path | None) -> None:
        known = before is not None and before.is_file()
        self._known: dict[str, Entry] = json.loads(before.read_bytes()) if known and before else {}
        self._entries: dict[str, Entry] = {}
        self.reused = 0

    def find(self, key: str, contents: Path) -> Entry | None:
        """The tile of this key, if its content is still on disk."""
        entry = self._known.get(key)
        if entry is None or not (contents / entry["content"]).is_file():
            return None
        self.reused += 1
        return self.keep(key, entry)

    def keep(self, key: str, entry: Entry) -> Entry:
        """Remember a tile for the next version."""
        self._entries[key] = entry
        return entry

    def save(self, path: Path) -> None:
        """Write what was kept."""
        text = json.dumps(self._entries, separators=(",", ":"), sort_keys=True)
        write_whole(path, text.encode())


def _code() -> bytes:
    """A hash of this package: whatever changes in it makes other tiles."""
    digest = hashlib.sha256(b"meshopt" if meshopt.AVAILABLE else b"plain")
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


_CODE = _code()


def key_of(parts: Iterable[bytes | str]) -> str:
    """The hash of what a tile is made from."""
    digest = hashlib.sha256(_CODE)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:32]
