"""Receipts: where a figure or a model comes from, so that a decision can be traced to it."""

import getpass
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cim_core import __version__
from cim_core.feature import Value


def now() -> str:
    """The present moment, UTC, RFC 3339 to the millisecond.

    >>> len(now())
    24
    """
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Input:
    """Something a result was made from: a file, or a layer's version."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What every published version and every analysis result carries.

    `id` is the hash of all the rest, so that a receipt cannot be altered unnoticed.
    """

    id: str
    kind: str
    when: str
    who: str
    software: str
    inputs: tuple[Input, ...]
    parameters: Mapping[str, Value]
    outputs: Mapping[str, Value]

    def as_dict(self) -> dict[str, Value]:
        """The receipt as plain values, as it is stored and served."""
        return {**asdict(self), "inputs": [asdict(item) for item in self.inputs]}


def write_receipt(
    kind: str,
    inputs: tuple[Input, ...],
    parameters: Mapping[str, Value],
    outputs: Mapping[str, Value],
    *,
    who: str | None = None,
) -> Receipt:
    """Make a receipt for a result finished now, by `who` (the operating system's user if None)."""
    body = {
        "kind": kind,
        "when": now(),
        "who": who or operating_system_user(),
        "software": f"cim-twin {__version__}",
        "inputs": [asdict(item) for item in inputs],
        "parameters": dict(parameters),
        "outputs": dict(outputs),
    }
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()[:32]
    return Receipt(
        digest, kind, str(body["when"]), str(body["who"]), str(body["software"]),
        inputs, parameters, outputs,
    )  # fmt: skip


def operating_system_user() -> str:
    """Who runs this process; a number where the user has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def hash_file(path: Path, name: str) -> Input:
    """Describe a file by its name, its SHA-256 and its size, read in blocks."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Input(name, digest, path.stat().st_size)
