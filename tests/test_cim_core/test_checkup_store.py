"""The store of check-ups: runs are whole and stay, sets are drafted and frozen, problems have a past."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cim_core.city import City
from cim_core.errors import Conflict, NotFound, OutOfDate
from cim_core.sight import EVERYTHING, WHOLE, Doer, Part, Sight
from cim_core.store.checkup import Checkups

ANNE, BEN = Doer("a1", "Anne"), Doer("b1", "Ben")


def entry(code: str, *layers: str) -> dict[str, Any]:
    return {
        "code": code,
        "layers": ["towns", *layers],
        "by": ["district", "town"],
        "digest": f"d-{code}",
    }


def document(year: int = 2025) -> dict[str, Any]:
    units = {
        "district": {"digest": "u0", "layers": []}, "town": {"digest": "u1", "layers": ["towns"]},
    }  # fmt: skip
    inputs = [
        {"role": layer, "layers": [layer]} for layer in ("towns", "schools", "pipes")
    ] + [{"role": "absent", "layers": []}]  # fmt: skip
    return {
        "year": year, "units": units, "inputs": inputs,
        "indicators": [entry("16", "schools"), entry("35", "pipes")],
    }  # fmt: skip


def wrong(code: str, unit: str = "t1") -> dict[str, Any]:
    return {"code": code, "by": "town", "unit": unit, "value": 1.0, "projects": ["e1"]}


def kept(store: Checkups, year: int = 2025, job: str | None = None) -> str:
    packed = [("d-16", b"school"), ("d-35", b"pipes"), ("u0", b"all"), ("u1", b"towns")]
    problems = [wrong("16"), wrong("35"), wrong("16", "t2")]
    return store.add(document(year), packed, problems, ANNE, "Anne", job)


@pytest.fixture
def store(tmp_path: Path) -> Checkups:
    return Checkups(tmp_path)


def test_a_city_without_check_ups_has_no_file(tmp_path: Path) -> None:
    store = Checkups(tmp_path)
    assert (store.runs(), store.sets.all(), store.problems.counts()) == ([], [], {})
    assert (store.exists, store.packed("x"), list(tmp_path.glob("*.db"))) == (False, None, [])
    kept(store)
    assert store.exists
    assert (tmp_path / "checkup.db").stat().st_mode & 0o077 == 0


def test_the_revision_grows_with_whatever_changes(store: Checkups) -> None:
    seen = [store.revision]

    def grew() -> bool:
        seen.append(store.revision)
        return seen[-1] > seen[-2]

    assert seen == [0]
    runs = [kept(store), kept(store)]
    assert grew()
    problem = store.problems.of_run(runs[1])[0].id
    store.problems.change(problem, 1, {"note": "seen"}, ANNE)
    assert grew()
    store.remove(runs[1])
    assert grew()
    store.submit(runs[0])
    assert grew()
    store.sets.put("own", {"year": 2025}, None, ANNE)
    assert grew()
    store.sets.remove("own", 1, ANNE)
    assert grew()
    assert not grew()


def test_runs_are_numbered_and_kept_as_they_were_examined(store: Checkups) -> None:
    assert [kept(store), kept(store), kept(store, 2026)] == ["2025-1", "2025-2", "2026-1"]
    assert [run.id for run in store.runs()] == ["2026-1", "2025-2", "2025-1"]
    run = store.run("2025-1")
    assert (run.name, run.state, run.submitted, run.hidden) == ("Anne", "draft", None, 0)
    assert run.document == document()
    assert store.packed("d-16") == b"school"
    store.remove("2025-2")
    assert kept(store) == "2025-3", "a number is not given twice"
    with pytest.raises(NotFound):
        store.run("2025-2")


def test_a_job_makes_one_run_however_often_it_is_begun(store: Checkups) -> None:
    first = kept(store, job="j1")
    assert kept(store, job="j1") == first == store.made_by("j1")
    assert len(store.runs()) == 1
    store.take_back("j1")
    store.take_back("j1")
    assert (store.runs(), store.made_by("j1"), store.packed("d-16")) == ([], None, None)


def test_values_stay_as_long_as_any_run_has_them(store: Checkups) -> None:
    first, second = kept(store), kept(store)
    store.remove(first)
    assert store.packed("d-16") == b"school"
    store.remove(second)
    assert store.packed("d-16") is None


def test_what_was_submitted_stays(store: Checkups, tmp_path: Path) -> None:
    run = kept(store)
    assert store.submit(run).state == "submitted"
    with pytest.raises(Conflict, match="already"):
        store.submit(run)
    with pytest.raises(Conflict, match="stays"):
        store.remove(run)
    connection = sqlite3.connect(tmp_path / "checkup.db")
    for statement in (
        "UPDATE runs SET document = '{}'", "DELETE FROM runs", "UPDATE packed SET body = x''",
        "UPDATE runs SET state = 'draft'",
    ):  # fmt: skip
        with pytest.raises(sqlite3.IntegrityError, match=r"alter|delet"):
            connection.execute(statement)
    connection.close()


def test_a_set_is_drafted_by_one_at_a_time_and_frozen_for_good(store: Checkups) -> None:
    made = store.sets.put("own", {"year": 2025}, None, ANNE)
    assert (made.version, made.state, made.name) == (1, "draft", "Anne")
    with pytest.raises(Conflict, match="already"):
        store.sets.put("own", {}, None, BEN)
    assert store.sets.put("own", {"year": 2026}, 1, BEN).version == 2
    with pytest.raises(OutOfDate, match="changed by Ben"):
        store.sets.put("own", {"year": 2027}, 1, ANNE)
    nobody = store.seen_by(Sight(people=False)).sets
    with pytest.raises(OutOfDate, match="was changed meanwhile"):
        nobody.put("own", {"year": 2027}, 1, ANNE)
    with pytest.raises(NotFound):
        store.sets.put("other", {}, 1, ANNE)
    frozen = store.sets.put("own", {"year": 2026}, 2, ANNE, state="frozen")
    assert (frozen.version, frozen.state) == (3, "frozen")
    for change in (
        lambda: store.sets.put("own", {}, 3, ANNE),
        lambda: store.sets.remove("own", 3, ANNE),
    ):
        with pytest.raises(Conflict, match="frozen"):
            change()


def test_the_id_of_a_set_that_was_removed_is_not_given_again(store: Checkups) -> None:
    store.sets.put("own", {}, None, ANNE)
    with pytest.raises(OutOfDate):
        store.sets.remove("own", 2, BEN)
    store.sets.remove("own", 1, BEN)
    with pytest.raises(NotFound):
        store.sets.get("own")
    with pytest.raises(NotFound):
        store.sets.remove("own", 2, BEN)
    with pytest.raises(Conflict, match="there was a set"):
        store.sets.put("own", {}, None, ANNE)
    assert store.sets.all() == []


def test_what_a_check_refuses_is_not_changed(store: Checkups) -> None:
    store.sets.put("own", {"year": 2025}, None, ANNE)

    def refuse() -> None:
        assert store.sets.get("own").document == {"year": 2025}, "it sees them as they are"
        raise Conflict("no")

    with pytest.raises(Conflict):
        store.sets.put("own", {"year": 2026}, 1, ANNE, check=refuse)
    with pytest.raises(Conflict):
        store.sets.remove("own", 1, ANNE, check=refuse)
    assert (store.sets.get("own").version, store.sets.get("own").document) == (1, {"year": 2025})


def test_a_problem_is_handled_and_its_past_is_kept(store: Checkups) -> None:
    run = kept(store)
    first, *_ = store.problems.of_run(run)
    assert (first.id, first.state, first.version) == (f"{run}.1", "open", 1)
    change = {"state": "assigned", "project": "e1"}
    after = store.problems.change(first.id, 1, change, BEN)
    assert (after.state, after.project, after.version) == ("assigned", "e1", 2)
    with pytest.raises(OutOfDate):
        store.problems.change(first.id, 1, {"note": "late"}, ANNE)
    store.problems.change(first.id, 2, {"state": "solved", "note": "built"}, ANNE)
    [history] = store.problems.history(run).values()
    assert [(one.change, one.name) for one in history] == [
        (change, "Ben"), ({"state": "solved", "note": "built"}, "Anne"),
    ]  # fmt: skip
    assert store.problems.counts()[run] == {
        ("16", "town", "solved"): 1, ("16", "town", "open"): 1, ("35", "town", "open"): 1,
    }  # fmt: skip
    store.submit(run)
    assert store.problems.change(first.id, 3, {"state": "open"}, ANNE).state == "open"


def seen(store: Checkups, parts: dict[str, Part | None] | None, towns: Any = None) -> Checkups:
    return store.seen_by(Sight({} if parts is None else parts, towns=towns))


def test_who_does_not_see_a_layer_whole_sees_nothing_made_of_it(store: Checkups) -> None:
    run = kept(store)
    store.sets.put("own", {}, None, ANNE)
    part = seen(store, {"towns": WHOLE, "schools": WHOLE, "pipes": Part(("depth",))})
    found = part.run(run)
    assert (found.codes, found.hidden) == (["16"], 1)
    assert [one["role"] for one in found.document["inputs"]] == ["towns", "schools", "absent"]
    assert {one.code for one in part.problems.of_run(run)} == {"16"}
    with pytest.raises(NotFound):
        part.problems.get(f"{run}.2")
    with pytest.raises(NotFound):
        part.problems.change(f"{run}.2", 1, {"note": "x"}, BEN)
    with pytest.raises(NotFound):
        found.indicator("35")
    for nothing in (
        seen(store, {"schools": WHOLE}), seen(store, {}, frozenset()),
        seen(store, {"towns": WHOLE, "schools": WHOLE, "pipes": WHOLE}, frozenset()),
    ):  # fmt: skip
        assert nothing.runs() == []
        with pytest.raises(NotFound):
            nothing.run(run)
        with pytest.raises(NotFound):
            nothing.problems.of_run(run)
    assert seen(store, {}, frozenset()).sets.all() == []


def test_a_run_is_not_told_by_units_that_are_not_seen(store: Checkups) -> None:
    told = document()
    told["units"]["town"]["layers"] = ["secret"]
    whole = {**wrong("16"), "by": "district", "unit": "district"}
    run = store.add(told, [], [wrong("16"), whole], None, "x")
    layers = dict.fromkeys(("towns", "schools", "pipes"), WHOLE)
    part = seen(store, layers)
    assert [one.by for one in part.problems.of_run(run)] == ["district"]
    with pytest.raises(NotFound):
        part.problems.get(f"{run}.1")
    assert part.problems.get(f"{run}.2").unit == "district"
    assert seen(store, layers).run(run).indicator("16")["by"] == ["district"]
    assert store.seen_by(EVERYTHING).run(run).indicator("16")["by"] == ["district", "town"]


def test_a_city_has_its_check_ups_as_they_are_seen(city: City) -> None:
    kept(city.checkups)
    assert [run.id for run in city.checkups.runs()] == ["2025-1"]
    assert city.seen_by(Sight({}), None).checkups.runs() == []
