"""An account without a home, and a program that it cannot write to: rays are compiled once all the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import server.compiled_code
from server.compiled_code import compiled_code_kept
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


def test_a_server_that_can_write_nowhere_compiles_once_for_all_it_starts(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert one_ray(sealed) == 0
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr(
        server.compiled_code.analysis.rays, "__file__", str(sealed / "analysis/rays/__init__.py")
    )
    with compiled_code_kept():
        kept = Path(os.environ["NUMBA_CACHE_DIR"])
        assert kept.stat().st_mode & 0o777 == 0o700
        assert one_ray(sealed, NUMBA_CACHE_DIR=str(kept)) == 0
        assert one_ray(sealed, NUMBA_CACHE_DIR=str(kept)) == 1
    assert not kept.exists()
    assert "NUMBA_CACHE_DIR" not in os.environ


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
