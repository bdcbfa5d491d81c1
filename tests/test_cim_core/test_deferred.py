"""Importers are loaded when they are needed."""

import subprocess
import sys

import pytest

from cim_core.deferred import Deferred
from cim_core.layer import Importer
from server.importers import importers


@pytest.mark.parametrize("importer", importers(), ids=lambda importer: importer.kind)
def test_every_importer_of_the_registry_is_where_it_is_said_to_be(
    importer: Importer, tmp_path
) -> None:
    path = tmp_path / f"nothing{importer.extensions[0]}"
    path.write_bytes(b"nothing of the kind")
    assert isinstance(importer, Deferred)
    assert importer.recognises(path) in (True, False)


def test_the_command_line_starts_without_any_importer_and_the_web() -> None:
    code = "import sys, server.cli; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    late = {"ifcopenshell", "pyogrio", "pandas", "trimesh", "pyvista", "fastapi"}
    assert late.isdisjoint(loaded)
