"""Importers whose code is loaded when there is a file for them: most runs need none, or one."""

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from cim_core.layer import Layer, Placement, Source
from cim_core.progress import Progress


class Reader(Protocol):
    """What the module of an importer has; see `Importer`."""

    def recognises(self, path: Path) -> bool:
        """Whether the content is for this importer."""

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """An importer as its registry has it: `where` is "module:Class" of its `Reader`."""

    kind: str
    extensions: tuple[str, ...]
    where: str

    def recognises(self, path: Path) -> bool:
        """Whether the content is for this importer."""
        return _reader(self.where).recognises(path)

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file; see the class that `where` names."""
        return _reader(self.where)(source, placement, progress)


@lru_cache
def _reader(where: str) -> Reader:
    module, name = where.split(":")
    return cast("Reader", getattr(import_module(module), name)())
