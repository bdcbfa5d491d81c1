"""The programs that are compared, each in an environment of its own."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import FOLDER

ENVIRONMENTS = FOLDER / ".envs"
PEERS = FOLDER / "peers"
LAYER = "model"

Command = Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Contender:
    """A program: what it is called, and the command that converts a file into a folder.

    start
        The same program doing nothing: what its interpreter and imports cost.
    """

    name: str
    command: Callable[[Path, Path], Command]
    start: Command


def product_import(source: Path, folder: Path) -> Command:
    """Import a file into the city `folder`/city; the stages go to `folder`/stages.json."""
    return [
        sys.executable, "-m", "benchmarks.product", folder / "stages.json", "import", source,
        "--city", folder / "city", "--layer", LAYER, "--json",
    ]  # fmt: skip


def contenders() -> list[Contender]:
    """CIM Twin and its peers; makes the peers' environments, which takes a minute the first time."""
    py3dtiles, gltf = environment("py3dtiles"), environment("gltf")
    return [
        Contender("CIM Twin", product_import, [sys.executable, "-m", "server", "--help"]),
        Contender(
            "py3dtiles 12.1.1",
            lambda source, folder: [
                py3dtiles / "py3dtiles", "convert", source, "--out", folder / "out",
            ],
            [py3dtiles / "py3dtiles", "--help"],
        ),
        Contender(
            "ifcopenshell GLB",
            lambda source, folder: [
                gltf / "python", PEERS / "gltf.py", source, folder / "model.glb",
            ],
            [gltf / "python", "-c", "import ifcopenshell.geom"],
        ),
    ]  # fmt: skip


def environment(name: str) -> Path:
    """The programs of the environment that `peers/requirements-<name>.txt` names."""
    wanted = PEERS / f"requirements-{name}.txt"
    folder = ENVIRONMENTS / name
    stamp = folder / "requirements.txt"
    if not stamp.exists() or stamp.read_bytes() != wanted.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        options = ["--disable-pip-version-check", "--require-hashes", "--no-deps"]
        subprocess.run([*pip, *options, "-r", wanted], check=True)
        shutil.copyfile(wanted, stamp)
    return folder / "bin"
