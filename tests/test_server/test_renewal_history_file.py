"""`cim renewal load` and the file it reads: one dated change a line."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cim_core.city import City
from cim_core.errors import Conflict, InvalidInput
from cim_core.progress import Progress
from cim_core.store.office_audit import AuditQuery
from server.cli import app
from server.renewal.history_file import load_history_file, read_history

PROJECT = {
    "name": "东村", "type": "old-village", "mode": "comprehensive", "town": "east",
    "template": "old-village", "note": "2025-01-06之前", "targets": [
        {"metric": "investment", "start": "2025-01-06", "end": "2025-12-31", "total": 1e8}
    ],
    "boundary": {"type": "Polygon", "coordinates": [
        [[113.4, 23.1], [113.401, 23.1], [113.401, 23.101], [113.4, 23.1]]
    ]},
}  # fmt: skip
LINES = [
    {"recorded": "2025-01-06T09:00:00+08:00", "effective": "2025-01-06", "kind": "project",
     "id": "p1", "change": PROJECT, "name": "office"},
    {"recorded": "2025-02-03T09:30:00+08:00", "effective": "2025-02-01", "kind": "household",
     "id": "h1", "change": {"project": "p1", "number": "1", "holder": "户主甲"}},
]  # fmt: skip


def written(folder: Path, *lines: object) -> Path:
    path = folder / "history.jsonl"
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n", "utf-8")
    return path


def test_the_command_brings_a_file_in_and_writes_no_holder_into_the_log(tmp_path: Path) -> None:
    path = written(tmp_path, *LINES)
    City.open_or_create(tmp_path / "city")
    command = ["renewal", "load", str(path), "--city", str(tmp_path / "city")]
    result = CliRunner().invoke(app, [*command, "--json"])
    assert json.loads(result.stdout) == {"changes": 2, "revision": 2}
    city = City.open(tmp_path / "city")
    assert city.renewal.get("household", "h1").document["holder"] == "户主甲"
    assert [event.recorded for event in city.renewal.history("p1")] == [
        1736125200000,
        1738546200000,
    ]
    (entry,) = city.office.audit.entries(AuditQuery())
    assert (entry.verb, entry.what, entry.detail["changes"]) == ("manage", "cim renewal load", 2)
    assert "户主" not in str(entry.as_dict())
    with pytest.raises(Conflict, match="has renewal already"):
        raise CliRunner().invoke(app, command).exception


def test_all_days_in_it_are_moved_together_and_nothing_else(tmp_path: Path) -> None:
    path = written(tmp_path, *LINES)
    project, household = read_history(path, Progress(), 7)
    assert household.effective == date(2025, 2, 8)
    assert household.recorded == 1738546200000 + 7 * 86_400_000
    target = {"metric": "investment", "start": "2025-01-13", "end": "2026-01-07", "total": 1e8}
    assert project.change == {**PROJECT, "targets": [target]}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", r", line 2: "),
        ({**LINES[1], "recorded": "2025-02-03T09:30:00"}, r", line 2: .*timezone.*\$\.recorded"),
        ({**LINES[1], "kind": "wall"}, r", line 2: .*\$\.kind"),
        ({**LINES[1], "more": 1}, r", line 2: .*`more`"),
        (
            {**LINES[1], "change": {"project": "p2", "number": "1"}},
            r" was not brought in: line 2 \(household 'h1'\): ",
        ),
    ],
    ids=["no json", "no time zone", "no such kind", "misspelt", "no such project"],
)
def test_a_line_that_is_not_right_is_named_and_nothing_comes_in(
    tmp_path: Path, line: object, why: str
) -> None:
    path = written(tmp_path, LINES[0], line)
    city = City.open_or_create(tmp_path / "city")
    with pytest.raises(InvalidInput, match=rf"history\.jsonl{why}") as refused:
        load_history_file(city.renewal, path, Progress())
    assert "户主" not in str(refused.value)
    assert city.renewal.revision == 0


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_history(tmp_path / "none.jsonl", Progress())
