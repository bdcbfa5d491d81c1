"""The policy of a city, in all its versions."""

import json
from collections.abc import Mapping
from typing import Any

from cim_core.errors import Conflict
from cim_core.store.office_file import OfficeFile


class Policies:
    """What a city lets whom do. What a document must say is checked by who puts it."""

    def __init__(self, file: OfficeFile) -> None:
        self._file = file

    def current(self) -> tuple[int, dict[str, Any]] | None:
        """The version that holds and its document; None for a city that never had one."""
        row = self._file.row("SELECT * FROM policies ORDER BY version DESC LIMIT 1")
        return None if row is None else (int(row["version"]), json.loads(row["document"]))

    def put(self, document: Mapping[str, Any], version_before: int, who: str) -> int:
        """Let a policy hold from now on; its version.

        Raises `Conflict` unless `version_before` is the one that holds, 0 where there is none.
        """
        body = json.dumps(document, ensure_ascii=False)
        with self._file.transaction() as connection:
            row = connection.execute("SELECT COALESCE(MAX(version), 0) FROM policies").fetchone()
            if row[0] != version_before:
                raise Conflict(
                    f"the policy was changed meanwhile: version {row[0]} holds, not {version_before}; "
                    "read it again and repeat the change"
                )
            connection.execute(
                "INSERT INTO policies VALUES (?, ?, ?, ?)",
                (version_before + 1, body, self._file.now(), who),
            )
        return version_before + 1
