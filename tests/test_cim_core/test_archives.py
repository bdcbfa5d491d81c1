"""Archives and folders bring in their files, and none of the harm that can be packed with them."""

import os
import re
import stat
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.archives import Limits, bring_in, default_limits
from cim_core.errors import Cancelled, CimError, InvalidInput, TooLarge
from cim_core.progress import Progress
from server.zh import in_chinese

SMALL = Limits(entries=20, bytes=1 << 20, ratio=50, ratio_from=10_000, data_uri=100)


def attempt(path: Path, into: Path, limits: Limits = SMALL) -> str:
    """Bring it in, which must fail before the first file is written; returns the sentence."""
    into.mkdir()
    with pytest.raises(CimError) as caught:
        bring_in(path, path.name, into, limits, Progress())
    assert list(into.iterdir()) == []
    assert in_chinese(caught.value.sentence) is not None
    return caught.value.sentence


def packed(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fine", b"good")
        for name, data in entries:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/etc/evil", "C:/evil", "..\\evil", "a\\b", "a/..", "bell\x07"],
)
def test_a_name_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", (name, b"evil"))
    assert "leaves the folder it is unpacked to" in attempt(path, tmp_path / "into")


@pytest.mark.parametrize(
    ("mode", "reason"),
    [(stat.S_IFLNK, "is a link"), (stat.S_IFIFO, "is no file"), (stat.S_IFCHR, "is no file")],
)
def test_links_and_devices_are_refused(mode: int, reason: str, tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.create_system, entry.external_attr = 3, (mode | 0o777) << 16
    path = packed(tmp_path / "a.zip", (entry, b"/etc/passwd"))
    assert reason in attempt(path, tmp_path / "into")


def test_a_folder_with_links_or_pipes_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a").write_bytes(b"a")
    (folder / "link").symlink_to("/etc/passwd")
    assert "link in it is a link" in attempt(folder, tmp_path / "one")
    (folder / "link").unlink()
    (folder / "below").symlink_to("/etc", target_is_directory=True)
    assert "below in it is a link" in attempt(folder, tmp_path / "two")
    (folder / "below").unlink()
    os.mkfifo(folder / "pipe")
    assert "pipe in it is no file" in attempt(folder, tmp_path / "three")


def test_what_grows_beyond_measure_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "bomb.zip", ("zeros", bytes(500_000)))
    assert "zeros in it would grow beyond all measure" in attempt(path, tmp_path / "into")
    assert default_limits().ratio < 1032, "deflate's own limit"


def test_too_much_in_all_is_refused(tmp_path: Path) -> None:
    parts = [(str(n), os.urandom(200_000)) for n in range(6)]
    sentence = attempt(packed(tmp_path / "much.zip", *parts), tmp_path / "into")
    assert "more than the" in sentence and "import it in parts" in sentence
    many = [(str(n), b"") for n in range(30)]
    sentence = attempt(packed(tmp_path / "many.zip", *many), tmp_path / "two")
    assert "more than the 20 files" in sentence
    folder = tmp_path / "folder"
    folder.mkdir()
    for n in range(30):
        (folder / str(n)).touch()
    assert "more than the 20 files" in attempt(folder, tmp_path / "three")


def test_an_archive_that_lies_about_its_sizes_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "lie.zip", ("zeros", bytes(5000)))
    data = bytearray(path.read_bytes())
    for at in (m.start() for m in re.finditer(re.escape(struct.pack("<I", 5000)), bytes(data))):
        data[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(data)
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(InvalidInput, match="cannot be unpacked"):
        bring_in(path, path.name, into, SMALL, Progress())
    assert sum(p.stat().st_size for p in into.rglob("*")) < 5000


@pytest.mark.parametrize("other", ["A.B3DM", "a.b3dm", "É/x", "Ä.txt"])
def test_names_that_are_one_on_some_disks_are_refused(other: str, tmp_path: Path) -> None:
    entries = [("a.b3dm", b"1"), ("e\u0301/X", b"2"), ("a\u0308.txt", b"3"), (other, b"4")]
    with pytest.warns(UserWarning) if other == "a.b3dm" else _nothing():
        path = packed(tmp_path / "a.zip", *entries)
    assert "letters' case only" in attempt(path, tmp_path / "into")


class _nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_a_file_that_is_a_folder_as_well_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", ("a", b"1"), ("A/b", b"2"))
    assert "a folder that is a file as well" in attempt(path, tmp_path / "into")


def test_an_encrypted_or_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", ("secret", b"s" * 100))
    data = path.read_bytes()
    central = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    path.write_bytes(data[: central + 8] + b"\1" + data[central + 9 :])
    assert "is encrypted" in attempt(path, tmp_path / "one")
    path.write_bytes(data[:60])
    assert "it has no directory at its end" in attempt(path, tmp_path / "two")
    method = data.replace(struct.pack("<H", 8), struct.pack("<H", 93))
    path.write_bytes(method)
    into = tmp_path / "three"
    into.mkdir()
    with pytest.raises(InvalidInput, match="cannot be unpacked"):
        bring_in(path, path.name, into, SMALL, Progress())


def test_unpacking_can_be_cancelled(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", ("b", b"2"))
    (tmp_path / "into").mkdir()
    with pytest.raises(Cancelled):
        bring_in(path, path.name, tmp_path / "into", SMALL, Progress(cancelled=lambda: True))


def test_the_limit_of_bytes_is_told_apart_from_a_wrong_file(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", ("b", os.urandom(3000)))
    (tmp_path / "into").mkdir()
    with pytest.raises(TooLarge):
        bring_in(path, "a.zip", tmp_path / "into", replace(SMALL, bytes=2000), Progress())


NAMES = st.text(alphabet="ab./\\: é", min_size=1, max_size=8)


@settings(deadline=None, max_examples=150)
@given(names=st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_nothing_is_ever_written_outside(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("zip")
    into = base / "deep" / "into"
    into.mkdir(parents=True)
    path = packed(base / "a.zip", *((name, b"x") for name in names))
    try:
        written = bring_in(path, "a.zip", into, SMALL, Progress())
    except InvalidInput:
        assert list(into.iterdir()) == []
    else:
        assert written == sum(p.stat().st_size for p in into.rglob("*") if p.is_file())
    assert {p.name for p in base.iterdir()} == {"a.zip", "deep"}
    assert [p.name for p in (base / "deep").iterdir()] == ["into"]
