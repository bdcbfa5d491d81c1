"""Back to an earlier version: what is served, what is kept, and what runs beside."""

import json
import sqlite3
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.errors import Conflict, NotFound
from cim_core.layer import Layer
from cim_core.progress import Progress
from cim_core.receipt import write_receipt
from cim_core.store.layers import LayerStore
from tests.test_cim_core.test_comparison import Thing, at, box, layer_of, publish


def numbered(name: str) -> Layer:
    return layer_of([Thing(name, (box((1, 2, 3)),), at(0, 0, 0))])


def in_view(city: City) -> list[str]:
    """What a reader of the GeoPackage sees of the layer."""
    with sqlite3.connect(city.database.path) as connection:
        return [row[0] for row in connection.execute('SELECT id FROM "layer_things"')]


def kept(city: City) -> list[int]:
    return [item.version for item in city.layers.versions("things")]


def test_an_earlier_version_is_served_again_with_a_receipt(city: City) -> None:
    for name in ("first", "second", "third"):
        publish(city, numbered(name))
    receipt = city.roll_back("things", 1)
    assert receipt is not None
    assert city.layers.get("things").version == 1
    assert in_view(city) == ["first"]
    assert kept(city) == [3, 2, 1]
    stored = city.receipts.get(receipt.id)
    assert stored["kind"] == "rollback"
    assert stored["parameters"] == {"layer": "things", "from": 3, "to": 1}
    [back] = city.layers.roll_backs("things")
    assert (back.before, back.after, back.receipt, back.when) == (3, 1, receipt.id, receipt.when)
    # Forth again, and the next import is the newest as always.
    city.roll_back("things", 3)
    assert in_view(city) == ["third"]
    assert publish(city, numbered("fourth")) == 4
    assert city.layers.get("things").version == 4


def test_a_version_that_is_served_already_is_left_in_peace(city: City) -> None:
    publish(city, numbered("a"))
    before = city.database.connection.execute("SELECT COUNT(*) FROM receipts").fetchone()[0]
    assert city.roll_back("things", 1) is None
    after = city.database.connection.execute("SELECT COUNT(*) FROM receipts").fetchone()[0]
    assert after == before


def test_what_cannot_be_served_is_refused_and_nothing_changes(city: City) -> None:
    publish(city, numbered("a"))
    publish(city, numbered("b"))
    with pytest.raises(NotFound, match="no version 9 of the layer 'things'"):
        city.roll_back("things", 9)
    with pytest.raises(NotFound, match="no layer 'other'"):
        city.roll_back("other", 1)
    begun = city.draft("things", "T", Progress())  # and not published
    with begun as draft, pytest.raises(NotFound, match=f"no version {draft.version}"):
        city.roll_back("things", draft.version)
    (city.layers_folder / "things" / "1" / "tileset.json").unlink()
    with pytest.raises(Conflict, match="restore it from a backup"):
        city.roll_back("things", 1)
    assert city.layers.get("things").version == 2
    assert in_view(city) == ["b"]


def test_a_running_import_goes_on_and_is_served_when_it_ends(city: City) -> None:
    publish(city, numbered("a"))
    publish(city, numbered("b"))
    layer = numbered("c")
    with city.draft("things", "Things", Progress()) as draft:
        draft.save(layer, 0.0, Progress())
        city.roll_back("things", 1)  # does not wait for the layer's lock
        assert in_view(city) == ["a"]
        (draft.folder / "tileset.json").write_text(json.dumps({"root": {}}))
        receipt = write_receipt("test", (), {}, {})
        draft.publish(layer, {"bytes": 0, "tiles": 0, "triangles": 0}, receipt)
    assert in_view(city) == ["c"]
    assert kept(city) == [3, 2, 1]


def test_the_served_version_is_never_discarded(city: City) -> None:
    publish(city, numbered("a"))
    publish(city, numbered("b"))
    city.roll_back("things", 1)
    LayerStore(city.database).discard("things", 1)
    assert in_view(city) == ["a"]


def keep(city: City, count: int) -> None:
    path = city.folder / "city.toml"
    path.write_text(path.read_text().replace("keep_versions = 5", f"keep_versions = {count}"))


def test_after_a_roll_back_both_what_was_served_and_what_is_newest_survive_an_import(
    city: City,
) -> None:
    keep(city, 3)
    for name in "abcd":
        publish(city, numbered(name))
    assert kept(city) == [4, 3, 2]
    city.roll_back("things", 2)
    assert kept(city) == [4, 3, 2]  # nothing is removed by rolling back
    publish(city, numbered("e"))
    assert kept(city) == [5, 4, 2]  # 2 was served last, 4 was the newest
    publish(city, numbered("f"))
    assert kept(city) == [6, 5, 2]


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 4), steps=st.lists(st.none() | st.integers(0, 3), max_size=12))
def test_whatever_is_published_and_rolled_back_the_promises_hold(
    count: int, steps: list[int | None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    city = City.open_or_create(tmp_path_factory.mktemp("c") / "city")
    keep(city, count)
    served = [publish(city, numbered("v1"))]
    for step in steps:
        if step is None:
            served.append(publish(city, numbered(f"v{kept(city)[0] + 1}")))
        else:
            served.append(kept(city)[step % len(kept(city))])
            city.roll_back("things", served[-1])
        now = city.layers.get("things").version
        assert now == served[-1]
        assert in_view(city) == [f"v{now}"]
        assert len(kept(city)) <= count
        recent = list(dict.fromkeys(reversed(served)))[:count]
        assert set(recent) <= set(kept(city))
        folders = {p.name for p in (city.layers_folder / "things").iterdir() if p.name.isdigit()}
        assert folders == {str(version) for version in kept(city)}
    city.database.close()


def test_imports_and_roll_backs_at_once_leave_a_whole_version_served(city: City) -> None:
    keep(city, 1)  # the sweep of each import is after everything but the newest
    publish(city, numbered("v1"))
    stop = threading.Event()
    refused: list[str] = []

    def roll_back_again_and_again() -> None:
        while not stop.is_set():
            for version in kept(city):
                try:
                    city.roll_back("things", version)
                except (NotFound, Conflict) as error:
                    refused.append(error.sentence)
        city.database.close()

    thread = threading.Thread(target=roll_back_again_and_again)
    thread.start()
    try:
        for number in range(2, 25):
            assert publish(city, numbered(f"v{number}")) == number
            now = city.layers.get("things").version
            assert in_view(city)[0].startswith("v")
            assert len(in_view(city)) == 1
            assert (city.layers_folder / "things" / str(now) / "tileset.json").is_file()
    finally:
        stop.set()
        thread.join()
    assert all("no version" in sentence or "is missing" in sentence for sentence in refused)
