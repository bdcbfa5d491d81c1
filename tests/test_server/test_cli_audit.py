"""`cim audit`, and what the other commands leave in the log."""

import csv
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.store.office import Office
from cim_core.store.office_audit import AuditQuery
from server.cli import app
from server.cli_parts import BROKEN
from tests.support.ifc_factory import Recipe, write_ifc
from tests.support.serving import ROOT


@pytest.fixture(autouse=True)
def environment(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIM_CITY", str(city.folder))
    monkeypatch.setenv("CIM_PASSWORD_MEMORY_KIB", "12288")
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def cim(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exception is None, result.output
    return result.stdout


@pytest.fixture
def log(city: City) -> City:
    """A city with some rows in its log."""
    for row in range(5):
        city.office.audit.append(
            "read", f"GET /collections/{row}", name=("editor", "=viewer")[row % 2], layers=["a", "b"],
            detail={"row": row},
        )  # fmt: skip
    city.office.audit.append("export", "GET /collections/a/items", result="denied", status=403)
    return city


def test_the_log_is_listed_newest_first_and_by_what_is_asked(log: City) -> None:
    told = json.loads(cim("audit", "list", "--json", "--limit", "2"))
    assert ([entry["seq"] for entry in told["entries"]], told["total"]) == ([6, 5], 6)
    asked = (
        "--person",
        "editor",
        "--verb",
        "read",
        "--result",
        "ok",
        "--layer",
        "a",
        "--text",
        "/2",
    )
    told = json.loads(cim("audit", "list", "--json", *asked))
    assert [entry["what"] for entry in told["entries"]] == ["GET /collections/2"]
    assert json.loads(cim("audit", "list", "--json", "--until", "2020"))["total"] == 0
    shown = cim("audit", "list", "--since", "2020-01-01", "--limit", "1")
    assert "denied" in shown
    assert "and 5 older" in shown


def test_an_intact_log_is_said_to_be_and_gives_its_head(log: City) -> None:
    shown = cim("audit", "verify")
    head = re.search(r"6 rows \(1 to 6\) are as they were written; head (6:[0-9a-f]{64})\n", shown)[
        1
    ]
    told = json.loads(cim("audit", "verify", "--head", head, "--json"))
    assert (told["intact"], told["entries"], told["last"]) == (True, 7, 7)
    assert (
        run("audit", "verify", "--head", "nothing").exception.args[0].startswith("'nothing' is no")
    )


def test_an_empty_log_is_intact(city: City) -> None:
    assert cim("audit", "verify") == "the log is empty\n"


def test_a_row_that_was_tampered_with_is_named(log: City) -> None:
    with sqlite3.connect(log.office.path) as connection:
        connection.execute("DROP TRIGGER audit_is_not_altered")
        connection.execute("UPDATE audit SET result = 'ok' WHERE seq = 6")
    connection.close()
    result = run("audit", "verify")
    assert result.exit_code == BROKEN == 12
    assert "row 6 is not what was written" in result.stderr
    result = run("audit", "verify", "--json")
    assert result.exit_code == BROKEN
    assert json.loads(result.stdout)["broken_at"] == 6


def test_the_log_goes_out_as_a_table_and_as_lines(log: City, tmp_path: Path) -> None:
    cim("audit", "export", tmp_path / "log.csv", "--verb", "read")
    text = (tmp_path / "log.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["seq"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert (rows[0]["layers"], rows[0]["detail"]) == ("a, b", '{"row": 0}')
    assert rows[1]["name"] == "'=viewer", "no formula"
    cim("audit", "export", tmp_path / "log.jsonl")
    lines = (tmp_path / "log.jsonl").read_text("utf-8").splitlines()
    entries = [entry.as_dict() for entry in log.office.audit.entries(AuditQuery())]
    assert [json.loads(line) for line in lines] == entries[:-1]
    assert entries[-1]["what"] == "cim audit export", "that it was taken out comes after what was"
    assert isinstance(run("audit", "export", tmp_path / "log.xls").exception, InvalidInput)


def test_only_what_is_older_than_the_policy_says_can_be_pruned(city: City) -> None:
    then = Office(city.folder, lambda: 1.0)
    then.audit.append("read", "long ago")
    city.office.audit.append("read", "now")
    refused = run("audit", "prune", "--days", "182")
    assert isinstance(refused.exception, InvalidInput)
    assert "keeps the log for 183 days" in refused.exception.sentence
    assert cim("audit", "prune").startswith("1 rows from before ")
    entries = list(city.office.audit.entries(AuditQuery()))
    assert [entry.what for entry in entries] == ["now", "cim audit prune"]
    assert entries[-1].detail["rows"] == 1
    assert city.office.audit.verify().intact


def test_the_commands_that_change_a_city_are_in_its_log(city: City, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write_ifc(tmp_path / "house.ifc", Recipe())
    write_ifc(folder / "shed.ifc", Recipe())
    (folder / "plan.dwg").write_bytes(b"AC1032")
    cim("import", tmp_path / "house.ifc")
    cim("import", folder)
    cim("about", "house")
    cim("about", "house", "--set", "licence=CC0")
    cim("tile", "house")
    cim("rollback", "house", "1")
    cim("remove", "house")
    assert isinstance(run("remove", "house").exception, NotFound)
    (tmp_path / "broken.ifc").write_text("nothing")
    assert run("import", tmp_path / "broken.ifc").exception is not None
    entries = list(city.office.audit.entries(AuditQuery()))
    assert [(e.what, e.verb, e.layers, e.result) for e in entries] == [
        ("cim import", "manage", ("house",), "ok"),
        ("cim import", "manage", ("shed",), "ok"),
        ("cim about", "edit", ("house",), "ok"),
        ("cim tile", "manage", ("house",), "ok"),
        ("cim rollback", "manage", ("house",), "ok"),
        ("cim remove", "manage", ("house",), "ok"),
        ("cim remove", "manage", ("house",), "failed"),
        ("cim import", "manage", ("broken",), "failed"),
    ]
    details = [entry.detail for entry in entries]
    assert (details[0]["file"], details[0]["version"]) == ("house.ifc", 1)
    assert details[1]["counts"] == {"imported": 1, "unchanged": 0, "failed": 0, "refused": 1}
    assert details[2] == {"about": {"licence": "CC0"}}
    assert (details[3], details[4]) == ({"version": 2}, {"version": 1})
    assert details[6] == {"error": "NotFound"}


def test_a_server_prints_a_link_that_signs_somebody_in_once(city: City, tmp_path: Path) -> None:
    cim("user", "add", "admin", "--role", "security-administrator")
    missing = run("serve", "--port", "0", "--sign-in", "nobody")
    assert isinstance(missing.exception, NotFound)
    server = subprocess.Popen(
        [sys.executable, "-m", "server", "serve", "--port", "0", "--sign-in", "admin"],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = server.stderr.readline().strip()
        link = re.fullmatch(
            rf"sign in as admin .*: {address}/#sign-in=(\S+)\n", server.stderr.readline()
        )
        ask = {"url": f"{address}/session/link", "json": {"token": link[1]}, "timeout": 30}
        answers = [httpx.post(**ask) for _ in range(2)]
    finally:
        server.terminate()
        rest = server.communicate()[1]
    assert [answer.status_code for answer in answers] == [201, 401]
    assert answers[0].json()["person"]["name"] == "admin"
    assert rest == ""
