"""Maps written as XML, element by element, and nothing of XML that could do harm.

A document type, and with it entities, is refused: no map needs one, and an entity can name files of
this machine or grow without bound. Sizes are held against `road_limits.toml`; memory is needed for
one child of the root at a time.
"""

import gzip
import tomllib
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import IO, cast
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from cim_core.errors import InvalidInput, TooLarge

_BLOCK = 1 << 18
_GZIP = b"\x1f\x8b"
_GLANCE = 1 << 16
_MOST = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Limits:
    """What a road map may hold; see `road_limits.toml`."""

    unpacked: int
    depth: int
    child: int
    message: int
    points: int
    road: int


@lru_cache
def limits() -> Limits:
    """The limits of the table."""
    text = files("pipelines").joinpath("road_limits.toml").read_text(encoding="utf-8")
    return Limits(**tomllib.loads(text))


def opened(path: Path) -> IO[bytes]:
    """A file to be read, unpacked on the way where it is gzip by its first bytes."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return cast("IO[bytes]", gzip.open(path)) if packed else path.open("rb")


def beginning(path: Path) -> bytes:
    """The first 64 kB of a file, unpacked where it is gzip; empty where it cannot be."""
    try:
        with opened(path) as file:
            return file.read(_GLANCE)
    except (OSError, EOFError, zlib.error):
        return b""


def root_of(path: Path) -> str:
    """The name of the root element of a file, empty where it is no XML."""
    found: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, _: found.append(tag)
    with suppress(expat.ExpatError, ValueError):  # what stands before the fault decides
        parser.Parse(beginning(path), False)
    return _local(found[0]) if found else ""


def children(path: Path, name: str) -> Iterator[Element]:
    """The root without its children, then each of those, whole, as the file comes to them.

    Names are without namespace. `name` is what people call the file. Raises `InvalidInput` for what
    is no sound XML, and `TooLarge`.
    """
    reading = _Reading(name)
    try:
        with opened(path) as file:
            size = 0
            while block := file.read(_BLOCK):
                size += len(block)
                if size > limits().unpacked:
                    raise TooLarge(
                        f"{name} holds more than {limits().unpacked >> 20} MiB of XML; cut the map "
                        "into parts and bring each in as a layer of its own"
                    )
                reading.parser.Parse(block, False)
                yield from reading.taken()
            reading.parser.Parse(b"", True)
            yield from reading.taken()
    except expat.ExpatError as error:
        raise InvalidInput(
            f"{name}, line {error.lineno}, is no sound XML: {expat.ErrorString(error.code)}; "
            "export it again"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{name} cannot be unpacked: {error}; pack it again") from None


class _Reading:
    """An XML document on its way in: what is whole waits in `done`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.depth = 0
        self.count = 0
        self.builder = TreeBuilder()
        self.done: list[Element] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    def taken(self) -> list[Element]:
        """What became whole since it was asked last."""
        done, self.done = self.done, []
        return done

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1
        if self.depth == 1:
            self.done.append(Element(_local(tag), attributes))
            return
        if self.depth == 2:
            self.count = 1
            self.builder = TreeBuilder()
        if self.depth > limits().depth or self.count > limits().child:
            raise TooLarge(
                f"{self.name}, line {self.parser.CurrentLineNumber}, holds a {tag} in elements too "
                "deep or too many for a map; export it again"
            )
        self.builder.start(_local(tag), attributes)

    def _end(self, tag: str) -> None:
        if self.depth > 1:
            self.builder.end(_local(tag))
        if self.depth == 2:
            self.done.append(self.builder.close())
        self.depth -= 1

    def _text(self, text: str) -> None:
        if self.depth > 1:
            self.builder.data(text)

    def _doctype(self, *_: object) -> None:
        raise InvalidInput(
            f"{self.name} declares a document type (<!DOCTYPE>), which is not taken for safety's "
            "sake; remove that line, no map needs it"
        )


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def whole(element: Element, key: str, where: Callable[[], str], usual: float | None = None) -> int:
    """An attribute that is a whole number; as `number`."""
    value = number(element, key, where, usual)
    if value != int(value) or abs(value) > _MOST:
        raise InvalidInput(
            f"{where()}: {key} is {element.get(key)!r} and must be a whole number; correct it"
        )
    return int(value)


def number(
    element: Element, key: str, where: Callable[[], str], usual: float | None = None
) -> float:
    """An attribute that is a number; `usual` where it is missing, `where()` names the element.

    Raises `InvalidInput` for what is missing or is no finite number.
    """
    text = element.get(key)
    if text is None and usual is not None:
        return usual
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e300:
        raise InvalidInput(f"{where()}: {key} is {text!r} and must be a number; correct it")
    return value
