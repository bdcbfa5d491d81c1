"""How much everybody has uploaded, day by day."""

from cim_core.store.office_file import OfficeFile


class Uploads:
    """Bytes uploaded by account and day (UTC, 2026-11-22)."""

    def __init__(self, file: OfficeFile) -> None:
        self._file = file

    def used(self, account: str, day: str) -> int:
        """Bytes an account has uploaded on a day."""
        row = self._file.row(
            "SELECT bytes FROM uploaded WHERE account = ? AND day = ?", account, day
        )
        return 0 if row is None else int(row[0])

    def add(self, account: str, day: str, count: int) -> int:
        """Count bytes (fewer than nothing gives some back); what the account then has on that day."""
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM uploaded WHERE day < ?", (day,))
            row = connection.execute(
                "INSERT INTO uploaded VALUES (?, ?, ?)"
                " ON CONFLICT (account, day) DO UPDATE SET bytes = bytes + excluded.bytes"
                " RETURNING bytes",
                (account, day, count),
            ).fetchone()
        return int(row[0])
