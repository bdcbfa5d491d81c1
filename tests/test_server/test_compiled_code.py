"""An account without a home, and a program that it cannot write to: rays are compiled once all the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import server.compiled_code
from cim_core.city import City
from server.compiled_code import compiled_code_kept
from tests.support.inside import Inside
from tests.support.serving import ROOT

_ONE_RAY = """
import numpy
from analysis.rays import kernels
assert kernels._longest(numpy.array([0.0, -2.0, 1.0])) == 1
print(kernels.__file__, sum(kernels._longest.stats.cache_hits.values()))
"""


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """The rays in a folder where no code can be kept: a file lies where its folder would."""
    program = tmp_path / "program"
    for package in ("analysis/rays", "cim_core"):
        copied = shutil.copytree(
            ROOT / package, program / package, ignore=lambda *_: ["__pycache__"]
        )
        (copied / "__pycache__").touch()
    (program / "analysis" / "__init__.py").touch()
    return program


def one_ray(program: Path, **environment: str) -> int:
    """Ask for a direction in a process of its own; how much compiled code it found."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, "-c", _ONE_RAY], cwd=program, capture_output=True, text=True, check=False,
        env={**plain, "HOME": "/dev/null", "XDG_CACHE_HOME": "", "PYTHONPATH": ".", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    file, found = done.stdout.split()
    assert Path(file).is_relative_to(program)
    return int(found)


@pytest.fixture
def nowhere(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process can keep code nowhere; the program it is of."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    package = str(sealed / "analysis/rays/__init__.py")
    monkeypatch.setattr(server.compiled_code.analysis.rays, "__file__", package)
    return sealed


def test_who_can_write_nowhere_compiles_once_for_all_that_is_started(nowhere: Path) -> None:
    assert one_ray(nowhere) == 0
    with compiled_code_kept():
        kept = os.environ["NUMBA_CACHE_DIR"]
        assert Path(kept).stat().st_mode & 0o777 == 0o700
        assert one_ray(nowhere, NUMBA_CACHE_DIR=kept) == 0
        assert one_ray(nowhere, NUMBA_CACHE_DIR=kept) == 1
    assert not Path(kept).exists()
    assert "NUMBA_CACHE_DIR" not in os.environ


def test_a_server_has_such_a_place_until_it_stops(nowhere: Path, city: City) -> None:
    with Inside(city.folder):
        kept = Path(os.environ["NUMBA_CACHE_DIR"])
        assert kept.is_dir()
    assert not kept.exists()


def test_where_code_can_be_kept_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with compiled_code_kept():
        assert "NUMBA_CACHE_DIR" not in os.environ
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    with compiled_code_kept():
        assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path)
