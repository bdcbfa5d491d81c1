"""The log: what is found in it, and that nothing in it can be altered unnoticed."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from cim_core.store.office import Office
from cim_core.store.office_audit import AuditQuery
from cim_core.store.office_chain import COLUMNS, Verification, verified

ROWS = 9
TRIGGERS = (
    "audit_only_grows", "audit_is_not_altered", "audit_is_not_deleted", "anchor_follows_the_log",
    "anchor_is_not_deleted", "anchor_is_one",
)  # fmt: skip


class Days:
    """A clock on which each row is written a day after the one before."""

    def __init__(self) -> None:
        self.time = 1_795_000_000.0

    def __call__(self) -> float:
        self.time += 86_400
        return self.time


def write(office: Office) -> None:
    """Rows with all that a row can have, and without."""
    append = office.audit.append
    append("read", "GET /collections")
    append(
        "export", "GET /collections/pipes/items", person="p1", name="editor", via="session",
        address="10.0.0.7", layers=["pipes", "roads"], status=200, detail={"export": "e1", "a": 1.5},
    )  # fmt: skip
    append("manage", "cim import", name="root", via="command line", layers=["管线"])
    append("read", "GET /collections/pipes", result="denied", via="stranger", status=401)
    append("manage", "POST /imports", result="failed", person="p1", name="editor", status=507)
    append(
        "administer", "POST /people", person="p2", name="安全", detail={"name": "新人", "n": None}
    )
    append("audit", "GET /audit", person="p3", name="auditor", detail={"q": "50%_ '\""})
    append("read", "GET /collections/pipes-gas", person="p1", name="editor", layers=["pipes-gas"])
    append("read", "half a letter \ud800", detail={"text": "\udfff"})


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A log that no test changes."""
    office = Office(tmp_path_factory.mktemp("office"), Days())
    write(office)
    yield office
    office.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path, Days())
    write(office)
    yield office
    office.close()


def copied(office: Office) -> sqlite3.Connection:
    """The log in memory, as somebody has it who can write the file and do without its triggers."""
    source = sqlite3.connect(office.path)
    copy = sqlite3.connect(":memory:")
    source.backup(copy)
    source.close()
    copy.row_factory = sqlite3.Row
    for name in TRIGGERS:
        copy.execute(f"DROP TRIGGER {name}")
    return copy


def broken(copy: sqlite3.Connection, head: str | None = None) -> Verification:
    found = verified(copy, head)
    copy.close()
    assert not found.intact
    assert found.as_dict() == {
        "intact": False, "broken_at": found.broken_at, "reason": found.reason,
    }  # fmt: skip
    return found


def chain(copy: sqlite3.Connection) -> None:
    """Compute all hashes anew, by the rule alone."""
    (previous,) = copy.execute("SELECT hash FROM audit_anchor").fetchone()
    for row in copy.execute(f"SELECT {', '.join(COLUMNS)} FROM audit ORDER BY seq").fetchall():
        text = previous + "\n" + json.dumps(list(row), separators=(",", ":"), ensure_ascii=True)
        previous = hashlib.sha256(text.encode("ascii")).hexdigest()
        copy.execute("UPDATE audit SET hash = ? WHERE seq = ?", (previous, row["seq"]))


# --- the chain


def test_an_untouched_log_is_intact_and_its_hashes_follow_the_rule(office: Office) -> None:
    found = office.audit.verify()
    copy = copied(office)
    before = [row["hash"] for row in copy.execute("SELECT hash FROM audit ORDER BY seq")]
    chain(copy)
    assert [row["hash"] for row in copy.execute("SELECT hash FROM audit ORDER BY seq")] == before
    copy.close()
    assert found.as_dict() == {
        "intact": True, "entries": ROWS, "first": 1, "last": ROWS, "head": f"{ROWS}:{before[-1]}",
    }  # fmt: skip
    for number, digest in enumerate(before, 1):
        assert office.audit.verify(f"{number}:{digest}").intact


VALUES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=5),
    st.sampled_from(["ok", "denied", "", "[]", "{}", None, b"\xff", 200, "200", 1.0]),
)


@settings(max_examples=100, deadline=None)
@given(
    seq=st.integers(1, ROWS), column=st.sampled_from([*COLUMNS[1:], "hash"]), value=VALUES,
    as_bytes=st.booleans(),
)  # fmt: skip
def test_any_single_field_that_is_altered_is_found(
    office: Office, seq: int, column: str, value: object, as_bytes: bool
) -> None:
    copy = copied(office)

    def stored() -> tuple:
        where = f"SELECT typeof({column}), CAST({column} AS BLOB) FROM audit WHERE seq = ?"
        return tuple(copy.execute(where, (seq,)).fetchone())

    before = stored()
    if as_bytes and isinstance(value, bytes):  # text that is no text
        change = f"UPDATE audit SET {column} = CAST(? AS TEXT) WHERE seq = ?"
    else:
        change = f"UPDATE audit SET {column} = ? WHERE seq = ?"
    try:
        copy.execute(change, (value, seq))
    except sqlite3.IntegrityError:  # a column that is never empty
        assume(False)
    assume(stored() != before)
    found = broken(copy)
    assert found.broken_at == seq
    assert found.reason.startswith(f"row {seq} is not what was written")


@settings(max_examples=40, deadline=None)
@given(removed=st.sets(st.integers(1, ROWS), min_size=1))
def test_any_rows_that_are_removed_are_found(office: Office, removed: set[int]) -> None:
    copy = copied(office)
    copy.executemany("DELETE FROM audit WHERE seq = ?", [(seq,) for seq in removed])
    assert broken(copy).broken_at == min(removed)


@settings(max_examples=40, deadline=None)
@given(removed=st.sets(st.integers(1, ROWS), min_size=1, max_size=ROWS - 1))
def test_rows_that_are_removed_are_found_although_the_rest_is_numbered_anew(
    office: Office, removed: set[int]
) -> None:
    assume(max(removed) != ROWS or len(removed) < ROWS + 1 - min(removed))  # not just the end
    copy = copied(office)
    copy.executemany("DELETE FROM audit WHERE seq = ?", [(seq,) for seq in removed])
    for new, (old,) in enumerate(copy.execute("SELECT seq FROM audit ORDER BY seq").fetchall(), 1):
        copy.execute("UPDATE audit SET seq = ? WHERE seq = ?", (new, old))
    copy.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'audit'", (ROWS - len(removed),))
    assert broken(copy).broken_at == min(removed)


@settings(max_examples=40, deadline=None)
@given(order=st.permutations(range(1, ROWS + 1)))
def test_rows_in_another_order_are_found(office: Office, order: list[int]) -> None:
    assume(order != sorted(order))
    copy = copied(office)
    copy.execute("UPDATE audit SET seq = -seq")
    copy.executemany(
        "UPDATE audit SET seq = ? WHERE seq = ?",
        [(new, -old) for new, old in enumerate(order, 1)],
    )
    first = next(new for new, old in enumerate(order, 1) if new != old)
    assert broken(copy).broken_at == first


@settings(max_examples=40, deadline=None)
@given(at=st.integers(1, ROWS + 1), like=st.integers(1, ROWS))
def test_a_row_that_is_put_in_is_found(office: Office, at: int, like: int) -> None:
    copy = copied(office)
    columns = ", ".join((*COLUMNS[1:], "hash"))
    row = copy.execute(f"SELECT {columns} FROM audit WHERE seq = ?", (like,)).fetchone()
    copy.execute("UPDATE audit SET seq = -seq WHERE seq >= ?", (at,))
    copy.execute("UPDATE audit SET seq = 1 - seq WHERE seq < 0")
    copy.execute(
        f"INSERT INTO audit (seq, {columns}) VALUES (?, {', '.join('?' * len(row))})", (at, *row)
    )
    # Of two equal rows one after the other it is the second that does not belong.
    assert broken(copy).broken_at == at + (at == like)


@settings(max_examples=40, deadline=None)
@given(kept=st.integers(0, ROWS - 1), more=st.integers(0, 3))
def test_an_end_that_was_cut_off_is_found_with_the_head_that_was_noted(
    office: Office, kept: int, more: int
) -> None:
    head = office.audit.verify().head
    copy = copied(office)
    copy.execute("DELETE FROM audit WHERE seq > ?", (kept,))
    copy.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'audit'", (kept,))
    assert verified(copy, None).intact  # nobody could tell
    columns = ", ".join(COLUMNS[1:])
    for _ in range(more):
        copy.execute(
            f"INSERT INTO audit ({columns}, hash) VALUES"
            " ('2026', NULL, '', '', '', '', '', '[]', NULL, 'ok', '{}', '')"
        )
    chain(copy)
    assert verified(copy, None).intact
    found = broken(copy, head)
    late = kept + more < ROWS
    assert found.broken_at == (kept + more + 1 if late else ROWS)
    assert ("the end is missing" if late else "written anew") in found.reason


@settings(max_examples=40, deadline=None)
@given(seq=st.integers(1, ROWS), column=st.sampled_from(["name", "what", "detail"]))
def test_a_log_that_was_altered_and_computed_anew_is_found_with_the_head(
    office: Office, seq: int, column: str
) -> None:
    head = office.audit.verify().head
    copy = copied(office)
    copy.execute(f"UPDATE audit SET {column} = 'other' WHERE seq = ?", (seq,))
    chain(copy)
    assert verified(copy, None).intact
    assert broken(copy, head).broken_at == ROWS


@pytest.mark.parametrize("head", ["", "9", ":", f"x:{'0' * 64}", f"9:{'0' * 63}", f"-1:{'0' * 64}"])
def test_what_is_no_head_is_refused(office: Office, head: str) -> None:
    with pytest.raises(InvalidInput, match="no head of a log"):
        office.audit.verify(head)


# --- what the file itself refuses


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET name = 'other' WHERE seq = 2",
        "UPDATE audit SET seq = 99 WHERE seq = 9",
        "DELETE FROM audit WHERE seq = 9",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT 11, at, person, name, via, address, verb, what, layers, status,"
        " result, detail, hash FROM audit WHERE seq = 1",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 3",
        "REPLACE INTO audit SELECT 5, at, person, name, via, address, verb, what, layers, status,"
        " result, detail, hash FROM audit WHERE seq = 1",
        "UPDATE audit_anchor SET seq = 4, hash = 'anything'",
        "UPDATE audit_anchor SET seq = 99, hash = NULL",
        "UPDATE audit_anchor SET seq = 0",
        "DELETE FROM audit_anchor",
        "INSERT INTO audit_anchor VALUES (4, '')",
    ],
)
def test_the_file_refuses_what_a_slip_could_do(office: Office, statement: str) -> None:
    with sqlite3.connect(office.path) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()
    assert office.audit.verify().intact


# --- pruning


def test_what_is_old_goes_and_the_rest_hangs_together(fresh: Office) -> None:
    heads = [f"{row.seq}:{row.hash}" for row in fresh.audit.entries(AuditQuery())]
    times = [row.at for row in fresh.audit.entries(AuditQuery())]
    assert fresh.audit.prune(times[0]) == 0
    assert fresh.audit.prune(times[4]) == 4
    found = fresh.audit.verify()
    assert (found.intact, found.entries, found.first, found.last) == (True, 5, 5, ROWS)
    # Of a head from before the anchor nothing can be told; of the anchor and all after it, it can.
    assert all(fresh.audit.verify(head).intact for head in heads)
    for number in (4, 5, 9):
        assert fresh.audit.verify(f"{number}:{'0' * 64}").broken_at == number
    assert fresh.audit.prune("9999") == 5
    empty = fresh.audit.verify()
    assert (empty.intact, empty.entries, empty.first, empty.head) == (True, 0, None, heads[-1])
    assert fresh.audit.append("read", "again") == ROWS + 1
    assert fresh.audit.verify(heads[-1]).intact
    assert fresh.audit.prune("0") == 0


def test_of_a_clock_that_went_back_no_young_row_is_lost(fresh: Office) -> None:
    times = [row.at for row in fresh.audit.entries(AuditQuery())]
    fresh.clock.time -= 8 * 86_400
    fresh.audit.append("read", "written after the clock was set back")
    assert fresh.audit.prune(times[8]) == 8
    assert [row.seq for row in fresh.audit.entries(AuditQuery())] == [9, 10]


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE audit_anchor SET hash = '{'0' * 64}'",
        "UPDATE audit_anchor SET seq = 3",
        "DELETE FROM audit_anchor",
        "INSERT INTO audit_anchor VALUES (4, '')",
        "DELETE FROM audit WHERE seq = 5",
    ],
)
def test_a_pruned_log_that_was_altered_is_found(fresh: Office, statement: str) -> None:
    fresh.audit.prune([row.at for row in fresh.audit.entries(AuditQuery())][4])
    copy = copied(fresh)
    copy.execute(statement)
    assert broken(copy).broken_at <= 5


# --- what is found


def seqs(office: Office, **query: str) -> list[int]:
    entries, further, total = office.audit.find(AuditQuery(**query), 100)
    assert (further, total) == (None, len(entries))
    assert [row.seq for row in office.audit.entries(AuditQuery(**query))] == sorted(
        entry.seq for entry in entries
    )
    return [entry.seq for entry in entries]


def test_rows_are_found_by_all_that_is_asked_of_them(office: Office) -> None:
    assert seqs(office) == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert seqs(office, verb="read") == [9, 8, 4, 1]
    assert seqs(office, result="denied") == [4]
    assert seqs(office, person="p1") == seqs(office, person="editor") == [8, 5, 2]
    assert seqs(office, layer="pipes") == [2], "not that of pipes-gas"
    assert seqs(office, layer="管线") == [3]
    assert seqs(office, person="p1", verb="read") == [8]
    assert seqs(office, q="COLLECTIONS/pipes") == [8, 4, 2]
    assert seqs(office, q="新人") == [6]
    assert seqs(office, q="50%_ '") == [7]
    assert seqs(office, q="%") == [7]
    assert seqs(office, layer="\ud800") == []
    first, second = (office.audit.find(AuditQuery(), 100)[0][-n].at for n in (1, 2))
    assert seqs(office, until=second) == [1]
    assert seqs(office, since=first, until=second) == [1]
    assert seqs(office, since=first[:10], until=second[:10]) == [1]


def test_pages_follow_one_another(office: Office) -> None:
    query = AuditQuery(verb="read")
    one, further, total = office.audit.find(query, 3)
    assert ([entry.seq for entry in one], further, total) == ([9, 8, 4], 4, 4)
    two, further, total = office.audit.find(query, 3, further)
    assert ([entry.seq for entry in two], further, total) == ([1], None, 4)


def test_a_row_is_told_as_it_was_written(office: Office) -> None:
    entries = {entry.seq: entry for entry in office.audit.entries(AuditQuery())}
    told = entries[2].as_dict()
    assert told.pop("hash") == entries[2].hash
    assert told == {
        "seq": 2, "at": "2026-11-20T11:06:40.000Z", "person": {"id": "p1", "name": "editor"},
        "via": "session", "address": "10.0.0.7", "verb": "export",
        "what": "GET /collections/pipes/items", "layers": ["pipes", "roads"], "status": 200,
        "result": "ok", "detail": {"export": "e1", "a": 1.5},
    }  # fmt: skip
    assert entries[1].as_dict()["person"] is None
    assert entries[3].as_dict()["person"] == {"id": None, "name": "root"}
    assert (entries[9].what, entries[9].detail) == ("half a letter ?", {"text": "?"})


def test_what_people_send_does_not_fill_the_disk(fresh: Office) -> None:
    fresh.audit.append("sign-in", "POST /session", name="x" * 100_000)
    assert len(fresh.audit.find(AuditQuery(), 1)[0][0].name) == 500


def test_many_rows_are_gone_through_portion_by_portion(
    fresh: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cim_core.store.office_audit._AT_ONCE", 3)
    assert [row.seq for row in fresh.audit.entries(AuditQuery())] == list(range(1, ROWS + 1))
