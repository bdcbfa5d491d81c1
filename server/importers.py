"""All importers there are: those of the floors below and those other packages bring."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path, PurePath

from bim_import.importers import IMPORTERS as BIM_IMPORTERS
from cim_core.archives import names_in
from cim_core.errors import UnsupportedFormat
from cim_core.importers import IMPORTERS as BASE_IMPORTERS
from cim_core.layer import Importer
from pipelines.importers import IMPORTERS as PIPE_IMPORTERS
from server.refused_formats import refused_formats

_ARCHIVES = (".zip", ".3tz")


def importers() -> list[Importer]:
    """Every importer; packages add theirs under the entry-point group `cim.importers`."""
    outside: list[Importer] = [entry.load() for entry in entry_points(group="cim.importers")]
    return [*BIM_IMPORTERS, *PIPE_IMPORTERS, *BASE_IMPORTERS, *outside]


def extensions() -> list[str]:
    """The file name endings that can be imported."""
    return sorted({ending for importer in importers() for ending in importer.extensions})


def kinds() -> list[str]:
    """What a person can say a file is, with --as."""
    return sorted({importer.kind for importer in importers()})


def importer_for(filename: str, path: Path | None = None, kind: str | None = None) -> Importer:
    """The importer for a file by its name, and where several answer for that, by its content.

    `path` is the file, or folder, once it is there, `kind` the one a person chose. Raises
    `UnsupportedFormat`, with the way out where the format is one that is known not to be read.
    """
    if kind is not None and kind not in kinds():
        raise UnsupportedFormat(f"{kind} is no kind of import; give one of {', '.join(kinds())}")
    of_kind = [importer for importer in importers() if kind in (None, importer.kind)]
    if path is not None and path.is_dir():
        return _for_folder(filename, path, of_kind, chosen=kind is not None)
    ending = PurePath(filename).suffix.lower()
    if path is not None and ending in _ARCHIVES:
        names_in(path, filename)  # raises, by the name people know, what any importer would
    suited = [importer for importer in of_kind if ending in importer.extensions]
    if path is None or len(suited) == 1:
        found = suited[:1]
    else:
        found = [importer for importer in suited if importer.recognises(path)]
    if found:
        return found[0]
    if suited:
        raise UnsupportedFormat(
            f"{filename} cannot be imported: its content is none of what {ending} files hold here; "
            f"say what it is with --as, one of {', '.join(importer.kind for importer in suited)}"
        )
    if kind is not None:
        endings = ", ".join(sorted({e for importer in of_kind for e in importer.extensions}))
        raise UnsupportedFormat(f"{filename} cannot be imported as {kind}; give one of {endings}")
    refused = refused_formats().get(ending)
    if refused is not None:
        name, remedy = refused.name["en"], refused.remedy["en"]
        raise UnsupportedFormat(f"{filename} is {name}, which cannot be read here; {remedy}")
    raise UnsupportedFormat(
        f"{filename} cannot be imported: {ending or 'a name without ending'} is not a format known "
        f"here; give one of {', '.join(extensions())}"
    )


def _for_folder(
    filename: str, path: Path, of_kind: Sequence[Importer], *, chosen: bool
) -> Importer:
    """The importer for all of a folder as one layer: the one chosen, or a tileset's."""
    whole = of_kind if chosen else [i for i in of_kind if i.kind == "tileset"]
    if chosen or whole[0].recognises(path):
        return whole[0]
    raise UnsupportedFormat(
        f"{filename} is a folder; import it with `cim import`, which makes a layer of each file, or "
        f"say with --as what all of it is: {', '.join(kinds())}"
    )
