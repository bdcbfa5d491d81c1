"""People, and the towns and departments they belong to."""

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

import shapely

from cim_core.errors import Conflict, InvalidInput, NotFound
from cim_core.store.office_account import (
    Account,
    Department,
    Town,
    account_of,
    checked_boundary,
    checked_roles,
    checked_town_id,
    name_hash,
)
from cim_core.store.office_file import OfficeFile, checked_text

_ACCOUNTS = (
    "SELECT accounts.*, failures.count, failures.locked_until,"
    " (SELECT json_group_array(town) FROM account_towns WHERE account = accounts.id) AS towns"
    " FROM accounts LEFT JOIN failures USING (name_hash)"
)


class Changes(TypedDict, total=False):
    """What can be changed of an account; what is not given stays as it is."""

    title: str
    roles: Sequence[str]
    towns: Sequence[str]
    department: str | None
    active: bool
    subject: str | None
    password: str | None
    totp: str | None
    totp_pending: str | None


class People:
    """The accounts of one city. Nobody is deleted, only made inactive: the log names them."""

    def __init__(self, file: OfficeFile) -> None:
        self._file = file

    def all(self) -> list[Account]:
        """Everybody, by name."""
        return [account_of(row) for row in self._file.rows(f"{_ACCOUNTS} ORDER BY name")]

    def get(self, account: str) -> Account:
        """One account by its id; raises `NotFound`."""
        found = self._one("accounts.id = ?", account)
        if found is None:
            raise NotFound(f"there is nobody with the id {account!r} in this city")
        return found

    def named(self, name: str) -> Account | None:
        """The account of a name, however its letters are written; None if nobody has it."""
        return self._one("accounts.name_hash = ?", name_hash(name))

    def of_subject(self, subject: str) -> Account | None:
        """Who somebody of the city's own identity service is here."""
        return self._one("accounts.subject = ?", subject)

    def _one(self, where: str, value: str) -> Account | None:
        row = self._file.row(f"{_ACCOUNTS} WHERE {where}", value)
        return None if row is None else account_of(row)

    def add(
        self,
        name: str,
        *,
        title: str = "",
        roles: Sequence[str] = (),
        towns: Sequence[str] = (),
        department: str | None = None,
        sso: bool = False,
        password_hash: str | None = None,
    ) -> Account:
        """Begin an account; raises `Conflict` if the name is taken, `InvalidInput`."""
        account = secrets.token_hex(8)
        name = checked_text(name, "a name", 64)
        with self._file.transaction() as connection:
            _check_department(connection, department)
            try:
                connection.execute(
                    "INSERT INTO accounts (id, name, name_hash, title, roles, department, active,"
                    " sso, password, created) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
                    (
                        account, name, name_hash(name), checked_text(title, "a title", empty=True),
                        json.dumps(checked_roles(roles)), department, sso, password_hash,
                        self._file.now(),
                    ),
                )  # fmt: skip
            except sqlite3.IntegrityError as error:
                raise Conflict(f"the name {name!r} is taken; take another") from error
            _set_towns(connection, account, towns)
        return self.get(account)

    def change(self, account: str, **changes: Unpack[Changes]) -> Account:
        """Change what is given; raises `NotFound`, `InvalidInput`, or `Conflict`.

        Who becomes inactive is signed out at once.
        """
        columns: dict[str, object] = {
            name: value for name, value in changes.items() if name != "towns"
        }
        if "roles" in changes:
            columns["roles"] = json.dumps(checked_roles(changes["roles"]))
        if "title" in changes:
            columns["title"] = checked_text(changes["title"], "a title", empty=True)
        with self._file.transaction() as connection:
            if not connection.execute("SELECT 1 FROM accounts WHERE id = ?", (account,)).fetchone():
                raise NotFound(f"there is nobody with the id {account!r} in this city")
            _check_department(connection, changes.get("department"))
            try:
                for name, value in columns.items():
                    connection.execute(
                        f"UPDATE accounts SET {name} = ? WHERE id = ?", (value, account)
                    )
            except sqlite3.IntegrityError as error:
                raise Conflict(
                    "somebody else here is that person of the identity service already; take the "
                    "link from their account first"
                ) from error
            if "towns" in changes:
                _set_towns(connection, account, changes["towns"])
            if changes.get("active") is False:
                for table in ("capabilities", "sessions", "links"):
                    connection.execute(f"DELETE FROM {table} WHERE account = ?", (account,))
        return self.get(account)

    def failed(self, name: str, now: float, *, allowed: int, seconds: float) -> float | None:
        """Count an attempt to sign in; until when the name is locked, None while it is not.

        The attempt number `allowed` locks the name for `seconds`; attempts while it is locked do not
        prolong that, and those longer than `seconds` apart do not count together. Names that nobody
        has are counted as well, so that nobody can tell. Count before the password is looked at, and
        call `succeeded` after: of many attempts at once, no more than `allowed` are looked at then.
        """
        key = name_hash(name)
        with self._file.transaction() as connection:
            connection.execute(
                "DELETE FROM failures WHERE COALESCE(locked_until, last + ?) <= ?", (seconds, now)
            )
            row = connection.execute(
                "SELECT count, locked_until FROM failures WHERE name_hash = ?", (key,)
            ).fetchone()
            if row is not None and row["locked_until"] is not None:
                return float(row["locked_until"])
            count = 1 if row is None else row["count"] + 1
            until = now + seconds if count >= allowed else None
            connection.execute(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)", (key, count, now, until)
            )
        return until

    def locked_until(self, name: str, now: float) -> float | None:
        """Until when a name is locked, seconds since 1970; None if it is not."""
        row = self._file.row(
            "SELECT locked_until FROM failures WHERE name_hash = ? AND locked_until > ?",
            name_hash(name), now,
        )  # fmt: skip
        return None if row is None else float(row[0])

    def succeeded(self, account: str) -> None:
        """Forget the failed attempts of somebody who has signed in now."""
        with self._file.transaction() as connection:
            _forget_failures(connection, account)
            connection.execute(
                "UPDATE accounts SET last_signed_in = ? WHERE id = ?", (self._file.now(), account)
            )

    def unlock(self, account: str) -> None:
        """Forget the failed attempts of an account."""
        with self._file.transaction() as connection:
            _forget_failures(connection, account)

    def take_step(self, account: str, step: int) -> bool:
        """Take the code of a time step of the second factor; False if one as late was taken.

        A code is good once (RFC 6238, 5.2), whichever process is asked.
        """
        with self._file.transaction() as connection:
            cursor = connection.execute(
                "UPDATE accounts SET totp_step = ? WHERE id = ? AND totp_step < ?",
                (step, account, step),
            )
            return cursor.rowcount == 1

    def departments(self) -> list[Department]:
        """All departments, by id."""
        rows = self._file.rows("SELECT * FROM departments ORDER BY id")
        return [Department(row["id"], json.loads(row["title"])) for row in rows]

    def add_department(self, department: str, title: Mapping[str, str]) -> Department:
        """Begin a department; raises `Conflict` if there is one of that id."""
        department = checked_text(department, "a department")
        with self._file.transaction() as connection:
            try:
                connection.execute(
                    "INSERT INTO departments VALUES (?, ?)", (department, _titles(title))
                )
            except sqlite3.IntegrityError as error:
                raise Conflict(f"there is a department {department!r} already") from error
        return Department(department, dict(title))

    def remove_department(self, department: str) -> None:
        """Forget a department; raises `Conflict` while somebody is in it, `NotFound`."""
        with self._file.transaction() as connection:
            try:
                found = connection.execute("DELETE FROM departments WHERE id = ?", (department,))
            except sqlite3.IntegrityError as error:
                raise Conflict(
                    f"somebody is in the department {department!r}; move them first"
                ) from error
            if found.rowcount == 0:
                raise NotFound(f"there is no department {department!r} in this city")

    def towns(self) -> list[Town]:
        """All towns, by id."""
        rows = self._file.rows("SELECT * FROM towns ORDER BY id")
        return [
            Town(
                row["id"], json.loads(row["title"]),
                None if row["boundary"] is None else shapely.from_wkb(row["boundary"]),
            )
            for row in rows
        ]  # fmt: skip

    def add_town(
        self, town: str, title: Mapping[str, str], boundary: shapely.Geometry | None
    ) -> Town:
        """Begin a town, its boundary in degrees; raises `Conflict`, `InvalidInput`."""
        values = (checked_town_id(town), _titles(title), _boundary(town, boundary))
        with self._file.transaction() as connection:
            try:
                connection.execute("INSERT INTO towns VALUES (?, ?, ?)", values)
            except sqlite3.IntegrityError as error:
                raise Conflict(f"there is a town {town!r} already") from error
        return self._town(town)

    def change_town(
        self,
        town: str,
        *,
        title: Mapping[str, str] | None = None,
        boundary: shapely.Geometry | None = None,
    ) -> Town:
        """Give a town another title or boundary; raises `NotFound`, `InvalidInput`."""
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE towns SET title = COALESCE(?, title), boundary = COALESCE(?, boundary)"
                " WHERE id = ?",
                (None if title is None else _titles(title), _boundary(town, boundary), town),
            )
        return self._town(town)

    def remove_town(self, town: str) -> None:
        """Forget a town; raises `Conflict` while somebody is in it, `NotFound`."""
        with self._file.transaction() as connection:
            try:
                found = connection.execute("DELETE FROM towns WHERE id = ?", (town,))
            except sqlite3.IntegrityError as error:
                raise Conflict(f"somebody is in the town {town!r}; move them first") from error
            if found.rowcount == 0:
                raise _no_town(town)

    def _town(self, town: str) -> Town:
        found = {item.id: item for item in self.towns()}.get(town)
        if found is None:
            raise _no_town(town)
        return found


def _check_department(connection: sqlite3.Connection, department: str | None) -> None:
    if department is None:
        return
    if not connection.execute("SELECT 1 FROM departments WHERE id = ?", (department,)).fetchone():
        raise InvalidInput(f"there is no department {department!r} in this city; add it first")


def _set_towns(connection: sqlite3.Connection, account: str, towns: Sequence[str]) -> None:
    connection.execute("DELETE FROM account_towns WHERE account = ?", (account,))
    for town in dict.fromkeys(towns):
        if not connection.execute("SELECT 1 FROM towns WHERE id = ?", (town,)).fetchone():
            raise InvalidInput(f"there is no town {town!r} in this city; add it first")
        connection.execute("INSERT INTO account_towns VALUES (?, ?)", (account, town))


def _forget_failures(connection: sqlite3.Connection, account: str) -> None:
    connection.execute(
        "DELETE FROM failures WHERE name_hash = (SELECT name_hash FROM accounts WHERE id = ?)",
        (account,),
    )


def _titles(title: Mapping[str, str]) -> str:
    checked = {language: checked_text(text, "a title") for language, text in title.items()}
    if not checked or not set(checked) <= {"en", "zh"}:
        raise InvalidInput("a title is a text for 'en', for 'zh' or for both; give at least one")
    return json.dumps(checked, ensure_ascii=False)


def _boundary(town: str, boundary: shapely.Geometry | None) -> bytes | None:
    return None if boundary is None else bytes(shapely.to_wkb(checked_boundary(town, boundary)))


def _no_town(town: str) -> NotFound:
    return NotFound(f"there is no town {town!r} in this city")
