"""What an import is made from: every byte of it is in the receipt."""

from pathlib import Path

from server.sources import companions_of, files_below, inputs_of


def test_a_shapefile_is_all_its_files(tmp_path: Path) -> None:
    for name in ("Lots.shp", "Lots.shx", "lots.DBF", "Lots.prj", "Lots2.dbf", "Lots.txt"):
        (tmp_path / name).write_text(name)
    assert [p.name for p in companions_of(tmp_path / "Lots.shp")] == [
        "Lots.prj",
        "Lots.shx",
        "lots.DBF",
    ]
    before = inputs_of(tmp_path / "Lots.shp", "Lots.shp")
    assert [item.name for item in before] == ["Lots.shp", "Lots.prj", "Lots.shx", "lots.DBF"]
    (tmp_path / "lots.DBF").write_text("another")
    after = inputs_of(tmp_path / "Lots.shp", "Lots.shp")
    assert before[:3] == after[:3]
    assert before[3] != after[3]


def test_a_folder_is_the_names_and_bytes_of_its_files_wherever_it_lies(tmp_path: Path) -> None:
    def folder(name: str, files: dict[str, str]) -> Path:
        for file, text in files.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / name

    one = folder("one", {"a": "1", "b/c": "22"})
    (one / "link").symlink_to(one / "a")
    (hashed,) = inputs_of(one, "x")
    assert hashed.bytes == 3
    assert [p.name for p in files_below(one)] == ["a", "c"]
    assert inputs_of(folder("two", {"b/c": "22", "a": "1"}), "x") == (hashed,)
    assert inputs_of(folder("three", {"a": "1", "b/d": "22"}), "x") != (hashed,)
    assert inputs_of(folder("four", {"a": "2", "b/c": "22"}), "x") != (hashed,)
