"""For how long pipes serve: which are due for renewal, by whose rule."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.network import Rows, Segments
from pipelines.dictionary import ABANDONED, pipe_class, standard_word

FILE_NAME = "service_lives.toml"
"""The table of this program beside this file, and the one a city may have in its folder."""

_CONFIDENCES = ("read", "known", "recalled", "own")


@dataclass(frozen=True, slots=True)
class Life:
    """How long pipes of some classes and materials serve; none of either means all.

    years
        Due when so old; 0 for due at any age, an unknown one too.
    confidence
        "read", "known", "recalled" or "own".
    """

    classes: tuple[str, ...]
    materials: tuple[str, ...]
    years: int
    source: str
    confidence: str


@dataclass(frozen=True, eq=False)
class Due:
    """What is due for renewal, the longest overdue first.

    segments
        (d,) rows.
    lives
        (d,) the row of the life each goes by.
    overdue
        (d,) years since it was due; NaN where its age is not known.
    """

    segments: Rows
    lives: Rows
    overdue: Floats


def service_lives(city: Path | None = None) -> tuple[Life, ...]:
    """The lives in force: those a city's folder has come before those of this program.

    Raises `InvalidInput` naming the entry that is wrong.
    """
    own = city / FILE_NAME if city is not None else None
    text = files("pipelines").joinpath(FILE_NAME).read_text(encoding="utf-8")
    entries = [_life(entry, FILE_NAME) for entry in tomllib.loads(text)["life"]]
    if own is not None and own.is_file():
        try:
            written = tomllib.loads(own.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{own} cannot be read: {error}; correct that entry") from error
        found = written.get("life", [])
        if not isinstance(found, list) or set(written) - {"life"}:
            raise InvalidInput(f"{own} is no table of service lives; write each below [[life]]")
        entries = [*(_life(entry, str(own)) for entry in found), *entries]
    return tuple(entries)


def _life(entry: Any, where: str) -> Life:
    if not (
        isinstance(entry, dict)
        and set(entry) <= {"classes", "materials", "years", "source", "confidence"}
        and all(_texts(entry.get(name, [])) for name in ("classes", "materials"))
        and type(entry.get("years")) is int
        and entry["years"] >= 0
        and isinstance(entry.get("source"), str)
        and entry.get("confidence") in _CONFIDENCES
    ):
        raise InvalidInput(
            f"{where} has a service life that is none: {entry}; give years as a whole number, source, "
            f"confidence (one of {', '.join(_CONFIDENCES)}), and classes or materials as lists"
        )
    materials = tuple(standard_word("materials", text) for text in entry.get("materials", ()))
    return Life(
        tuple(entry.get("classes", ())), materials, entry["years"], entry["source"],
        entry["confidence"],
    )  # fmt: skip


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def life_of(lives: Sequence[Life], code: str, material: str) -> int:
    """The row of the life that a class and a material go by, -1 for none."""
    scores = [_match(life, code, material) for life in lives]
    best = max(scores, default=0)
    return scores.index(best) if best > 0 else -1


_ORDER = ((0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (2, 1))
"""From the loosest match to the closest: of the class (1, of the sub-class 2), of the material."""


def _match(life: Life, code: str, material: str) -> int:
    """How closely a life fits, from 1; 0 for not at all."""
    of_class = 2 if code in life.classes else int(pipe_class(code).system in life.classes)
    of_material = int(material in life.materials)
    if (life.classes and not of_class) or (life.materials and not of_material):
        return 0
    return _ORDER.index((of_class, of_material)) + 1


def due(segments: Segments, years: Floats, lives: Sequence[Life]) -> Due:
    """What is due at ages of (m,) years; what is abandoned is not."""
    classes, materials = segments.classes, segments.materials
    names = [standard_word("materials", name) for name in (*materials.names, "")]
    table = np.array(
        [[life_of(lives, code, name) for name in names] for code in (*classes.names, "")], np.int64
    )
    own = table[classes.codes, materials.codes]
    limits = np.array([*(life.years for life in lives), np.inf])[own]
    overdue = years - limits
    is_due = ((overdue >= 0) | (limits == 0)) & ~segments.statuses.are(ABANDONED)
    rows = np.flatnonzero(is_due)
    order = rows[np.argsort(-overdue[rows], kind="stable")]
    return Due(order, own[order], overdue[order])
