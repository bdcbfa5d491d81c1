"""The text of a model's .inp file: sections of lines of words, as EPANET and SWMM both write it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from cim_core.errors import InvalidInput

Program = Literal["epanet", "swmm"]
Line = tuple[int, tuple[str, ...]]
"""The number of a line in its file, from 1, and its words."""

_OF_EPANET = {
    "PIPE", "RESE", "TANK", "VALV", "EMIT", "QUAL", "SOUR", "REAC", "MIXI", "DEMA", "ENER", "STAT",
}  # fmt: skip
_OF_SWMM = {
    "COND", "OUTF", "OUTL", "STOR", "XSEC", "SUBC", "SUBA", "RAIN", "EVAP", "INFI", "WEIR", "ORIF",
    "DIVI", "LOSS", "INFL", "DWF", "TRAN", "LAND",
}  # fmt: skip
"""Sections that only one of the two has, by the four letters both know them by."""

_HEADER = re.compile(rb"^[ \t]*\[(\w+)", re.MULTILINE)


class InpText:
    """The sections of an .inp file.

    Both programs know a section by its first letters, so that [JUNC] will do for [JUNCTIONS].
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.text = text
        self._sections: dict[str, list[Line]] = {}
        here: list[Line] = []
        for number, line in enumerate(text.splitlines(), 1):
            words = tuple(line.partition(";")[0].replace(",", " ").split())
            if words and words[0].startswith("["):
                here = self._sections.setdefault(_short(words[0]), [])
            elif words:
                here.append((number, words))

    def __getitem__(self, section: str) -> Sequence[Line]:
        """The lines of a section that say something; none where there is no such section."""
        return self._sections.get(_short(section), ())

    def options(self, section: str = "OPTIONS") -> Mapping[str, str]:
        """A section of names and values: {"UNITS": "LPS"}, names in capitals."""
        return {words[0].upper(): " ".join(words[1:]) for _, words in self[section]}

    def number(self, section: str, line: Line, place: int, default: float | None = None) -> float:
        """The number at a place of a line, from 0; raises `InvalidInput` where there is none."""
        at, words = line
        if place >= len(words) or words[place] == "*":
            if default is not None:
                return default
            raise self.wrong(section, at, f"it has {len(words)} words and needs {place + 1}")
        try:
            return float(words[place])
        except ValueError as error:
            raise self.wrong(section, at, f"{words[place]!r} is no number") from error

    def wrong(self, section: str, line: int, reason: str) -> InvalidInput:
        """The error of a line that cannot be read."""
        return InvalidInput(
            f"{self.name}, line {line}, section [{section}]: {reason}; correct that line"
        )


def read_text(path: Path, name: str) -> InpText:
    """Read an .inp file, in UTF-8 or else in GB 18030; raises `InvalidInput`."""
    return InpText(_decoded(path.read_bytes(), name), name)


def program_of(raw: bytes) -> Program | None:
    r"""Whose model a file is: whose own sections there are more of; None where there are none.

    >>> program_of(b"[JUNCTIONS]\n[PIPES]"), program_of(b"[JUNCTIONS]\n[XSECTIONS]")
    ('epanet', 'swmm')
    """
    sections = {_short(header.decode()) for header in _HEADER.findall(raw)}
    epanet, swmm = len(sections & _OF_EPANET), len(sections & _OF_SWMM)
    if epanet == swmm:
        return None
    return "epanet" if epanet > swmm else "swmm"


def tags_of(text: InpText) -> dict[tuple[str, str], str]:
    """The tags of a model, by "NODE" or "LINK" and id."""
    return {
        (words[0].upper(), words[1]): " ".join(words[2:])
        for _, words in text["TAGS"]
        if len(words) > 2
    }


def _decoded(raw: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInput(f"{name} is text neither in UTF-8 nor in GB 18030; save it as UTF-8")


def _short(section: str) -> str:
    return section.strip("[]").upper()[:4]
