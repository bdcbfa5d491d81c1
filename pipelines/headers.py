"""Which field of a survey each header of a table is, and of which kind a table is by them."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from cim_core.errors import InvalidInput

TableKind = Literal["point", "line", "valve", "user"]
KINDS: tuple[TableKind, ...] = get_args(TableKind)

OWN_FILE = "headers.toml"
"""The name of a mapping file that lies beside the tables it is for."""

_BRACKETS = re.compile(r"[(\[【{].*?[)\]】}]\s*$")
_BETWEEN = re.compile(r"[\s_\-./\\()\[\]【】{}]+")

_OWN = {
    "point": (
        "feature", "appurtenance", "bottom_depth", "map_point", "depth", "top_depth", "invert_depth",
    ),
    "line": (
        "start_depth", "end_depth", "start_elevation", "end_elevation", "start_top", "start_invert",
        "burial",
    ),
}  # fmt: skip
"""What only surveys of pipes have."""

_ALSO = {
    "point": ("ground", "code", "owner", "elevation", "top", "invert"),
    "line": ("material", "size", "code", "owner", "year"),
}
"""What they have, too: two of all tell them from other tables with points or lines in them."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The table of headers: for each kind its fields with their aliases, the likeliest first."""

    aliases: Mapping[TableKind, Mapping[str, tuple[str, ...]]]
    needed: Mapping[TableKind, tuple[tuple[str, ...], ...]]
    names: Mapping[TableKind, tuple[str, ...]]

    def fields(self, kind: TableKind, headers: Sequence[str]) -> dict[str, int]:
        """The column of each field that a table of a kind has.

        >>> default_headers().fields("point", ["物探点号", "X（m）", "Y（m）", "材质"])
        {'point': 0, 'x': 1, 'y': 2}
        """
        full = {plain(text): at for at, text in reversed(list(enumerate(headers)))}
        short = {plain(_BRACKETS.sub("", unicodedata.normalize("NFKC", text))): at for at, text in reversed(list(enumerate(headers)))}  # fmt: skip
        found: dict[str, int] = {}
        for names in (full, short):  # what stands in brackets may tell two fields apart
            for field, aliases in self.aliases[kind].items():
                hit = next((names[alias] for alias in aliases if alias in names), None)
                if field not in found and hit is not None and hit not in found.values():
                    found[field] = hit
        return found

    def kinds(self, headers: Sequence[str]) -> list[TableKind]:
        """The kinds a table with these headers can be of."""
        return [kind for kind in KINDS if self.has_needed(kind, self.fields(kind, headers))]

    def has_needed(self, kind: TableKind, fields: Mapping[str, int]) -> bool:
        """Whether all that a kind cannot be without is there."""
        return all(any(field in fields for field in group) for group in self.needed[kind])

    def missing(self, kind: TableKind, headers: Sequence[str]) -> list[str]:
        """What a table would need besides to be of a kind: the usual header of each field."""
        fields = self.fields(kind, headers)
        groups = (group for group in self.needed[kind] if not any(f in fields for f in group))
        return [self.aliases[kind][group[0]][0] for group in groups]

    def kind(self, headers: Sequence[str], name: str) -> TableKind | None:
        """Of which kind a table is: by its headers, and where several fit by its name.

        A table of points that says to which others they are connected is one of lines as well; it
        counts as one of points here.

        >>> default_headers().kind(["阀门编号", "物探点号", "X", "Y"], "给水阀门表")
        'valve'
        """
        fit = self.kinds(headers)
        if len(fit) > 1 and (said := self.named(name)) in fit:
            return said
        if "point" in fit and "connected" in self.fields("point", headers):
            return "point"
        return next((kind for kind in ("line", "point", "valve", "user") if kind in fit), None)

    def named(self, name: str) -> TableKind | None:
        """The kind a table's name says; None where it says none."""
        low = name.lower()
        return next(
            (k for k, words in self.names.items() if any(word in low for word in words)), None
        )

    def is_survey(self, headers: Sequence[str]) -> bool:
        """Whether a table is one of points or lines of a survey of pipes, and not of something else."""
        for kind in KINDS[:2]:
            fields = self.fields(kind, headers)
            has = self.has_needed(kind, fields)
            own, also = (sum(f in fields for f in group[kind]) for group in (_OWN, _ALSO))
            if has and own and own + also >= 2:
                return True
        return False


def plain(text: str) -> str:
    """A header as it is compared.

    >>> plain(" Exp_No ")
    'expno'
    """
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).lower()


@lru_cache
def default_headers() -> Headers:
    """The table this program brings."""
    text = files("pipelines").joinpath("headers.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)
    return Headers(
        {
            kind: {
                field: tuple(dict.fromkeys(plain(alias) for alias in aliases))
                for field, aliases in (entries[kind] | entries["any"]).items()
            }
            for kind in KINDS
        },
        {kind: tuple(map(tuple, groups)) for kind, groups in entries["needed"].items()},
        {kind: tuple(words) for kind, words in entries["names"].items()},
    )


def own_headers(path: Path) -> Headers:
    """The table with what a person's mapping file says before it; raises `InvalidInput`."""
    if path.suffix.lower() != ".toml":
        raise InvalidInput(
            f"the option headers names {path.name}, which is no .toml; write a mapping file as "
            "the reference of survey tables shows it"
        )
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(
            f"the mapping file {path.name} cannot be read ({type(error).__name__}); write it as TOML "
            "in UTF-8"
        ) from error
    known = default_headers()
    aliases = {kind: dict(fields) for kind, fields in known.aliases.items()}
    for section, fields in entries.items():
        for kind in KINDS if section == "any" else (section,):
            _add(aliases, kind, fields, path.name)
    return Headers(aliases, known.needed, known.names)


def _add(
    aliases: dict[TableKind, dict[str, tuple[str, ...]]], kind: Any, fields: object, name: str
) -> None:
    if kind not in aliases or not isinstance(fields, dict):
        raise InvalidInput(
            f"the mapping file {name} has a section {kind!r}; it takes any, {', '.join(KINDS)}"
        )
    for field, said in fields.items():
        if field not in aliases[kind]:
            raise InvalidInput(
                f"the mapping file {name} names the field {field!r}, which tables of the kind {kind} "
                f"do not have; it takes {', '.join(aliases[kind])}"
            )
        texts = [said] if isinstance(said, str) else said
        if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
            raise InvalidInput(
                f'the mapping file {name} must give headers for {field}; write {field} = ["…", "…"]'
            )
        own = tuple(plain(text) for text in texts)
        others = {
            other: tuple(alias for alias in known if alias not in own)
            for other, known in aliases[kind].items()
        }
        aliases[kind] = {**others, field: (*own, *others[field])}
