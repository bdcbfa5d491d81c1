"""Where the compiled code of rays is kept, so that not every process compiles it anew."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import analysis.rays

_SETTING = "NUMBA_CACHE_DIR"


@contextmanager
def compiled_code_kept() -> Iterator[None]:
    """Give this process and those it starts a place for compiled code where they have none.

    That is a folder of their own among temporary files, for as long as this goes on. Code that
    anybody else could write is not run, so a place that others know of is none.
    """
    if os.environ.get(_SETTING) or any(_writable(place) for place in _usual_places()):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="cim-compiled-", ignore_cleanup_errors=True) as folder:
        os.environ[_SETTING] = folder
        try:
            yield
        finally:
            del os.environ[_SETTING]


def _usual_places() -> list[Path]:
    """Where numba keeps it unless told otherwise: beside the source, or in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return [Path(analysis.rays.__file__).parent / "__pycache__", Path(cache) / "numba"]


def _writable(folder: Path) -> bool:
    """Whether files can be written to a folder, or it can be made.

    >>> _writable(Path(tempfile.gettempdir()) / "a" / "b"), _writable(Path("/dev/null/a"))
    (True, False)
    """
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
