"""The command line: what it prints, where, and what its exit codes mean."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.cli import EXIT_CODES
from tests.support.ifc_factory import Recipe, write_ifc
from tests.support.warm import ROOT, cim


def afresh(*arguments: object) -> subprocess.CompletedProcess[str]:
    """What a command says in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-m", "server", *map(str, arguments)], capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_ifc(tmp_path / "small.ifc", Recipe(boxes=2))
    return tmp_path / "small.ifc"


def test_import_prints_one_json_document_with_the_report(small: Path, tmp_path: Path) -> None:
    given = ("--city", tmp_path / "new", "--anchor", "113.46,23.10,5", "--json")
    done = afresh("import", small, *given)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {"layer", "version", "features", "dropped", "georeference", "tileset", "bytes"} <= set(
        report
    )
    assert report["features"] == 2
    assert (tmp_path / "new" / "layers" / "small" / "1" / "tileset.json").is_file()
    assert (tmp_path / "new" / "city.toml").is_file()


def test_every_command_speaks_json_on_stdout_alone(small: Path, tmp_path: Path) -> None:
    city = tmp_path / "new"
    write_ifc(tmp_path / "other.ifc", Recipe())
    both = cim("import", small, tmp_path / "other.ifc", "--city", city, "--json")
    assert [r["layer"] for r in json.loads(both.stdout)] == ["small", "other"]
    listed = json.loads(cim("layers", "--city", city, "--json").stdout)
    assert [c["id"] for c in listed["collections"]] == ["other", "small"]
    assert json.loads(cim("info", "--city", city, "--json").stdout)["layers"] == ["other", "small"]
    assert (
        json.loads(cim("info", "small", "--city", city, "--json").stdout)["numberOfFeatures"] == 2
    )
    tiled = json.loads(cim("tile", "small", "--city", city, "--json").stdout)
    assert (tiled["version"], tiled["features"]) == (2, 2)
    one, two = (
        (city / "layers" / "small" / version / "tileset.json").read_bytes()
        for version in ("1", "2")
    )
    assert one == two, "tiling again gives the same bytes"
    assert cim("remove", "small", "--city", city).returncode == 0
    assert json.loads(cim("info", "--city", city, "--json").stdout)["layers"] == ["other"]


def test_people_get_words(small: Path, tmp_path: Path) -> None:
    done = cim("import", small, "--city", tmp_path / "new")
    assert "2 features" in done.stdout
    assert "not georeferenced" in done.stdout
    table = cim("layers", "--city", tmp_path / "new").stdout
    assert "small" in table
    assert cim("info", "--city", tmp_path / "new").returncode == 0


def exit_code(name: str) -> int:
    return next(code for kind, code in EXIT_CODES.items() if kind.__name__ == name)


def test_failures_are_one_sentence_on_stderr_with_a_code_of_their_own(
    small: Path, tmp_path: Path
) -> None:
    (tmp_path / "cut.ifc").write_text(small.read_text()[:-300])
    (tmp_path / "plan.dwg").write_text("x")
    (tmp_path / "old.ifc").write_text(small.read_text().replace("('IFC4')", "('IFC2X_FINAL')"))
    city = tmp_path / "new"
    cases = [
        (("import", tmp_path / "none.ifc", "--city", city), "NotFound", "none.ifc"),
        (("import", tmp_path / "plan.dwg", "--city", city), "UnsupportedFormat", ".dwg"),
        (("import", tmp_path / "old.ifc", "--city", city), "UnsupportedFormat", "IFC2X_FINAL"),
        (("import", tmp_path / "cut.ifc", "--city", city), "InvalidInput", "cut short"),
        (("import", small, "--city", city, "--crs", "EPSG:4547"), "InvalidInput", "--anchor"),
        (("import", small, "--city", city, "--anchor", "x"), "InvalidInput", "anchor"),
        (("layers", "--city", tmp_path / "nowhere"), "NotFound", "city.toml"),
    ]
    for number, (arguments, error, words) in enumerate(cases):
        done = cim(*arguments)
        assert done.returncode == exit_code(error), (arguments, done.stderr)
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        if number % 3 == 0:
            as_json = cim(*arguments, "--json")
            assert words in json.loads(as_json.stdout)["detail"]
    assert cim("import").returncode == 2
    assert json.loads(cim("layers", "--city", city, "--json").stdout)["collections"] == []


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = cim("serve", "--city", tmp_path / "new", "--port", taken.getsockname()[1])
    assert done.returncode == exit_code("Conflict")
    assert "--port" in done.stderr


def test_every_kind_of_error_has_an_exit_code_and_a_status() -> None:
    from cim_core import errors
    from server.problems import STATUS

    # What is a special case of another has that one's code and status.
    kinds = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and kind.__base__ is errors.CimError
    }
    assert set(EXIT_CODES) == set(STATUS) == kinds
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
