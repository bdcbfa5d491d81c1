"""Capabilities: what stands in the path of a protected tile, since tiles carry no header."""

from dataclasses import dataclass

from cim_core.store.office_file import OfficeFile, hash_of, new_token

LONGEST = 3600.0
"""Seconds a capability is good for at most."""


@dataclass(frozen=True, slots=True)
class Capability:
    """Whose files a path shows: of an account, a session and a key, as far as there are any."""

    account: str | None
    session: str | None
    key: str | None
    expires: float


class Capabilities:
    """The capabilities of one city, read-only and short-lived; kept as hashes."""

    def __init__(self, file: OfficeFile) -> None:
        self._file = file

    def begin(
        self, account: str | None, session: str | None, key: str | None, seconds: float = LONGEST
    ) -> str:
        """A token for `seconds` (an hour at most), gone with its session (an id) or its key."""
        token, now = new_token(), self._file.clock()
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM capabilities WHERE expires <= ?", (now,))
            connection.execute(
                "INSERT INTO capabilities VALUES (?, ?, ?, ?, ?)",
                (hash_of(token), account, session, key, now + min(seconds, LONGEST)),
            )
        return token

    def get(self, token: str) -> Capability | None:
        """What a token shows; None if it is over or was never given out."""
        now = self._file.clock()
        row = self._file.row(
            "SELECT account, session, key, expires FROM capabilities c WHERE id = ? AND expires > ?"
            " AND (session IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE id = c.session AND expires > ?))"
            " AND (key IS NULL OR EXISTS"
            "  (SELECT 1 FROM keys WHERE id = c.key AND revoked IS NULL AND expires > ?))",
            hash_of(token), now, now, self._file.now(),
        )  # fmt: skip
        return None if row is None else Capability(*row)
