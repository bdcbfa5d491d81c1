"""Opening an IFC file, or saying in one sentence why it cannot be opened."""

import re
import zipfile
from pathlib import Path

import ifcopenshell
from ifcopenshell import entity_instance

from cim_core.errors import InvalidInput, UnsupportedFormat

SCHEMAS = ("IFC2X3", "IFC4", "IFC4X3")
_IDENTIFIERS = {"IFC2X3", "IFC4", "IFC4X3", "IFC4X3_ADD2"}
_SCHEMA = re.compile(r"FILE_SCHEMA\s*\(\s*\(\s*'([^']*)'", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_STAMP = re.compile(r"^(\[[^\]]*\] )+")
_HEAD_BYTES = 64 << 10


def check_ifc(path: Path, name: str) -> str:
    """The schema a file names, as it names it: "IFC4".

    `name` is what the person called the file. Raises `InvalidInput` for what is not IFC or is cut
    short, and `UnsupportedFormat` for other schemas and packings.
    """
    schema = _check_head(path, name)
    _check_tail(path, name)
    return schema


def open_ifc(path: Path, name: str) -> ifcopenshell.file:
    """Open an IFC file of a supported schema.

    Raises what `check_ifc` raises, and `InvalidInput` for what cannot be parsed or holds no project.
    """
    check_ifc(path, name)
    complaints()  # those about another file are not about this one
    try:
        model = ifcopenshell.open(str(path))
    except Exception as error:  # the library raises RuntimeError, its own Error, OSError, …
        raise InvalidInput(
            f"{name} cannot be read as IFC ({_first_line(error)}); export it again from the "
            "software that wrote it"
        ) from error
    if not isinstance(model, ifcopenshell.file):
        raise UnsupportedFormat(f"{name} is not an IFC-SPF file; export it as .ifc (STEP)")
    if not model.by_type("IfcProject"):
        raise InvalidInput(
            f"{name} holds no IfcProject, so it is not a whole model; export it again"
        )
    return model


def complaints() -> list[str]:
    """What the library has said since it was last asked: missing references, unknown classes.

    Its words without the level, its own number of the rule and the time.
    """
    return [_STAMP.sub("", line) for line in ifcopenshell.get_log().splitlines() if line.strip()]


def _check_head(path: Path, name: str) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise InvalidInput(f"{name} is empty; export it again")
    if head.startswith(b"PK") or zipfile.is_zipfile(path):
        raise UnsupportedFormat(f"{name} is a zip archive; unpack it and import the .ifc inside")
    if head.startswith(b"\x89HDF"):
        raise UnsupportedFormat(f"{name} is IFC-HDF; export it as .ifc (STEP)")
    if head.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise UnsupportedFormat(
            f"{name} begins with a byte-order mark, which IFC does not allow; save it as plain text"
        )
    text = head.decode("latin-1").lstrip()
    if text.startswith("<"):
        raise UnsupportedFormat(f"{name} is XML (ifcXML); export it as .ifc (STEP)")
    if not text.upper().startswith("ISO-10303-21"):
        raise InvalidInput(
            f"{name} is not an IFC file: it does not begin with ISO-10303-21; export it as .ifc"
        )
    found = _SCHEMA.search(_COMMENT.sub("", text))
    if found is None:
        raise InvalidInput(f"{name} names no schema in its header (FILE_SCHEMA); export it again")
    schema = found.group(1).strip()
    if schema.upper() not in _IDENTIFIERS:
        raise UnsupportedFormat(
            f"{name} is of the schema {schema[:40]}, which is not supported; export it as "
            "IFC2X3, IFC4 or IFC4X3"
        )
    return schema.upper()


def _check_tail(path: Path, name: str) -> None:
    """A file cut short would otherwise open with some of its elements missing."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _HEAD_BYTES))
        tail = file.read().decode("latin-1").upper()
    if "END-ISO-10303-21" not in tail:
        raise InvalidInput(
            f"{name} is cut short: it does not end with END-ISO-10303-21; copy or export it again"
        )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def products_with_shape(model: ifcopenshell.file, name: str) -> list[entity_instance]:
    """Every product that has a representation, in the order of the file.

    Raises `InvalidInput` when there is none, or when placements refer to each other in a circle.
    """
    _check_placements(model, name)
    products = [p for p in model.by_type("IfcProduct") if p.Representation is not None]
    if not products:
        raise InvalidInput(
            f"{name} holds no product with a shape: there is nothing to draw; export it with geometry"
        )
    return products


def _check_placements(model: ifcopenshell.file, name: str) -> None:
    """A circle of placements would send the geometry kernel round for ever."""
    sound: set[int] = set()
    for placement in model.by_type("IfcLocalPlacement"):
        chain: set[int] = set()
        step: entity_instance | None = placement
        while step is not None and step.id() not in sound:
            if step.id() in chain:
                raise InvalidInput(
                    f"{name} places #{step.id()} relative to itself in a circle "
                    "(IfcLocalPlacement.PlacementRelTo); correct it in the software that wrote it"
                )
            chain.add(step.id())
            step = getattr(step, "PlacementRelTo", None)
        sound |= chain
