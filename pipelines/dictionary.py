"""The dictionaries of pipe surveys: classes with codes and colours, and what they imply."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from cim_core.layer import ClassStyle
from cim_core.network import NodeKind, Reference

_UNKNOWN = "#66707c"
_CODE = re.compile(r"5([1-8])(\d\d)([0123])([012])(\d\d)")
_LETTERS = re.compile(r"[A-Z]{2}(?![A-Z])")
_IN_NAME = re.compile(
    r"(?<![A-Z])([A-Z]{2})(?=POINT|LINE|PIPE|NODE|VALVE|USER|PT|LN|[PL](?![A-Z])|[^A-Z]|$)"
)


Dictionary = Literal["materials", "burials", "statuses"]

ABANDONED = "废弃"
"""The status of a pipe that is left in the ground and that nothing passes."""
"""The dictionaries of words."""


@dataclass(frozen=True, slots=True)
class PipeClass:
    """A sub-class of pipes.

    code
        Its letters: "JP".
    system
        The letters of the class it belongs to: "JS".
    title
        By language.
    reference
        What of a segment of it the surveyed elevations are those of.
    """

    code: str
    system: str
    title: dict[str, str]
    color: str
    reference: Reference


def pipe_class(code: str) -> PipeClass:
    """A class or sub-class by its letters; one that is not known is of the system "" ."""
    return _classes().get(code) or PipeClass(
        code, "", {"en": code, "zh": code}, _UNKNOWN, Reference.AXIS
    )


def class_styles(names: Iterable[str]) -> dict[str, ClassStyle]:
    """Name, colour and whether it is shown, of classes of segments and of nodes."""
    nodes = _table()["nodes"]
    styles = {}
    for name in names:
        if name in nodes:
            entry = nodes[name]
            styles[name] = ClassStyle({"en": entry["en"], "zh": entry["zh"]}, entry["color"], True)
        else:
            known = pipe_class(name)
            styles[name] = ClassStyle(known.title, known.color, True)
    return styles


@dataclass(frozen=True, slots=True)
class FeatureCode:
    """A feature code of eight digits, CJJ 61-2017 appendix F.

    pipe_class
        The letters of the sub-class, or of the class where the code says "other" (99).
    element
        "line", "point", "area", or "other" where the code says nothing of it (51990000).
    is_appurtenance
        Of a point: whether it is an appurtenance (附属物) rather than a feature (特征).
    name
        In Chinese, empty where the table does not have it.
    """

    pipe_class: str
    element: Literal["other", "line", "point", "area"]
    is_appurtenance: bool
    name: str


@lru_cache(maxsize=4096)
def feature_code(text: str) -> FeatureCode | None:
    """The feature code a text is, None if its structure is not that of one.

    >>> feature_code("51042204")
    FeatureCode(pipe_class='JP', element='point', is_appurtenance=True, name='阀门')
    >>> feature_code("51990000").pipe_class, feature_code("51040204")
    ('JS', None)
    """
    found = _CODE.fullmatch(text.strip())
    if found is None:
        return None
    number, sub, element, point = found[1], int(found[2]), found[3], found[4]
    if (element == "2") != (point != "0"):
        return None
    system, classes = next(
        (key, entry.get("classes", {}))
        for key, entry in _table()["systems"].items()
        if entry["number"] == int(number)
    )
    letters = next((key for key, entry in classes.items() if entry["number"] == sub), None)
    if letters is None and sub != 99:
        return None
    kinds: tuple[Literal["other", "line", "point", "area"], ...] = (
        "other",
        "line",
        "point",
        "area",
    )
    name = _table()["codes"].get(found[0], {}).get("zh", "")
    return FeatureCode(letters or system, kinds[int(element)], point == "2", name)


@lru_cache(maxsize=4096)
def class_letters(text: str) -> str:
    """The letters of the class or sub-class a text names in whatever way; "" for none.

    >>> [class_letters(text) for text in ("JP", "通讯", "给水-配水", "52022205", "ys", "bridge")]
    ['JP', 'TX', 'JP', 'WS', 'YS', '']
    """
    word = unicodedata.normalize("NFKC", text).strip()
    if code := feature_code(word):
        return code.pipe_class
    if word.upper() in _classes():
        return word.upper()
    aliases = _aliases()
    if word.lower() in aliases:
        return aliases[word.lower()]
    within = [alias for alias in aliases if not alias.isascii() and alias in word]
    subs = [alias for alias in within if pipe_class(aliases[alias]).system != aliases[alias]]
    if within:  # the sub-class says more, the longer word more surely what is meant
        return aliases[max(subs or within, key=len)]
    letters = _LETTERS.match(word.upper()) if word.isascii() else None
    return letters[0] if letters and letters[0] in _classes() else ""


@lru_cache(maxsize=4096)
def class_in_name(name: str) -> str:
    """The letters of the class that a table's name, its folders included, tells; "" for none.

    >>> [class_in_name(name) for name in ("JSPoint.csv", "雨水/线表.xls", "2024_DL_L.dbf", "a.csv")]
    ['JS', 'YS', 'DL', '']
    """
    for part in reversed(unicodedata.normalize("NFKC", name).split("/")):
        stem = part.rpartition(".")[0] or part
        for letters in _IN_NAME.findall(stem.upper()):
            if known := class_letters(letters):
                return known
        if not stem.isascii() and (known := class_letters(stem)):
            return known
    return ""


@lru_cache(maxsize=4096)
def standard_word(kind: Dictionary, text: str) -> str:
    """The dictionary's own Chinese word for a text that is a code or another word; else the text.

    >>> [standard_word("materials", text) for text in ("QM", "球墨", "hdpe", "竹")]
    ['球墨铸铁', '球墨铸铁', 'PE', '竹']
    """
    return _words(kind).get(unicodedata.normalize("NFKC", text).strip().lower(), text.strip())


@lru_cache(maxsize=4096)
def is_word(kind: Literal["materials", "burials", "statuses"], text: str) -> bool:
    """Whether a dictionary has a text, as a code or a word.

    >>> is_word("materials", "球墨"), is_word("materials", "竹")
    (True, False)
    """
    return unicodedata.normalize("NFKC", text).strip().lower() in _words(kind)


@lru_cache(maxsize=4096)
def flow_sign(text: str) -> int:
    """1 where a text says that it flows from start to end, -1 the other way, 0 where it says neither.

    >>> [flow_sign(text) for text in ("+", "反向", "")]
    [1, -1, 0]
    """
    flows = _table()["flows"]
    return int(text.lower() in flows["forward"]) - int(text.lower() in flows["backward"])


@lru_cache(maxsize=4096)
def node_kind(feature: str, appurtenance: str, code: str, system: str) -> NodeKind:
    """What a point does, by its feature (特征), its appurtenance (附属物), else its feature code.

    >>> node_kind("三通", "", "", "JS"), node_kind("", "阀门井", "", "JS")
    (<NodeKind.JOINT: 0>, <NodeKind.VALVE: 2>)
    >>> node_kind("", "泵站", "", "JS"), node_kind("", "泵站", "", "PS")
    (<NodeKind.SOURCE: 4>, <NodeKind.DEVICE: 6>)
    """
    known = feature_code(code)
    if not (feature or appurtenance) and known is not None:
        feature, appurtenance = ("", known.name) if known.is_appurtenance else (known.name, "")
    for word, otherwise in ((appurtenance, NodeKind.DEVICE), (feature, NodeKind.JOINT)):
        if word:
            found = _kind_by(word.lower(), system)
            # "三通" in the wrong column is no device, and 阀门 among the features is a valve.
            if found is not None or otherwise is NodeKind.DEVICE:
                return otherwise if found is None else found
    return NodeKind.JOINT


def _kind_by(word: str, system: str) -> NodeKind | None:
    for entry in _table()["features"]:
        holds = system in entry.get("only", (system,)) and system not in entry.get("but", ())
        if holds and any(_is_in(part, word) for part in entry["words"]):
            return NodeKind[entry["kind"]]
    return None


def _is_in(part: str, word: str) -> bool:
    """Whether a word has a part: English ones as words of their own."""
    if not part.isascii():
        return part in word
    return re.search(rf"\b{re.escape(part)}s?\b", word) is not None


def usual_wall(material: str) -> tuple[float, float, float] | None:
    """(a, b, least): a wall is a + b × diameter thick, at least `least`, all in metres; None if unknown.

    `material` is the dictionary's word.
    """
    entry: Mapping[str, Any] = next(
        (e for e in _table()["materials"].values() if e["zh"] == material), {}
    )
    if "wall" not in entry:
        return None
    a, b, least = entry["wall"]
    return a / 1000, b, least / 1000


def usual_blocks() -> Mapping[str, float]:
    """How a block of ducts is made whose outside nobody measured: between, around, duct, metres."""
    blocks: Mapping[str, float] = _table()["blocks"]
    return blocks


@lru_cache
def _aliases() -> Mapping[str, str]:
    return {
        word.lower(): letters for letters, words in _table()["aliases"].items() for word in words
    }


@lru_cache
def _words(kind: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for code, entry in _table()[kind].items():
        for word in (code, entry["zh"], entry["en"], *entry["also"]):
            found.setdefault(word.lower(), entry["zh"])
    return found


@lru_cache
def _classes() -> dict[str, PipeClass]:
    found = {}
    for system, entry in _table()["systems"].items():
        reference = Reference[entry["reference"].upper()]
        title = {"en": entry["en"], "zh": entry["zh"]}
        found[system] = PipeClass(system, system, title, entry["color"], reference)
        for code, sub in entry.get("classes", {}).items():
            title = {"en": sub["en"], "zh": sub["zh"]}
            color = sub.get("color", entry["color"])
            found[code] = PipeClass(code, system, title, color, reference)
    return found


@lru_cache
def _table() -> dict[str, Any]:
    text = files("pipelines").joinpath("dictionary.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
