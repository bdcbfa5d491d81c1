"""What takes long to make and is the same for all is made once in a run, whoever asks first."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cim_core.locks import locked


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder with what `make` writes into an empty one; a copy of its own for every process.

    Of the processes that share the work, the first that asks makes it and the others wait. What one
    of them does to its copy the others do not see.
    """
    run = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        run = run.parent  # that of the process which started the workers
    whole = run / "made-once" / name
    with locked(whole.with_name(f"{name}.lock")):
        if not whole.exists():
            begun = whole.with_name(f"{name}.begun")
            shutil.rmtree(begun, ignore_errors=True)
            begun.mkdir()
            make(begun)
            begun.rename(whole)
    return Path(shutil.copytree(whole, factory.mktemp(name), dirs_exist_ok=True))
