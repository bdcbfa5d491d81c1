"""Whose model a file is, is told by a bounded look at it."""

import tracemalloc
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from pipelines import model_importer
from pipelines.model_importer import EpanetImporter


def test_whose_model_it_is_is_told_without_reading_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = "[JUNCTIONS]\n" + "".join(f"A{n} 10 5\n" for n in range(200_000)) + "[PIPES]\n[TANKS]\n"
    path = tmp_path / "far.inp"
    path.write_text(far, encoding="utf-8")
    packed = tmp_path / "packed.zip"
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    assert EpanetImporter().recognises(path)
    assert EpanetImporter().recognises(packed)
    monkeypatch.setattr(model_importer, "_GLANCE", 1 << 16)
    tracemalloc.start()
    assert not EpanetImporter().recognises(path)
    assert not EpanetImporter().recognises(packed)
    assert tracemalloc.get_traced_memory()[1] < 1 << 19
    tracemalloc.stop()
