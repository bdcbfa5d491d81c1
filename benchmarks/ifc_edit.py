"""Other versions of an IFC file, made by editing its text, so that what stays keeps its wording."""

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ifcopenshell
import ifcopenshell.util.unit

_STATEMENT = re.compile(rb"#(\d+)\s*=\s*((?:[^';]+|'[^']*')*);")
_PIECES = re.compile(rb"('[^']*')|#(\d+)")
_ID_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$"
_GLOBAL_ID = re.compile(rb"^(\w+\s*\(\s*')[0-9A-Za-z_$]{22}'")
_POINT = re.compile(rb"^IFCCARTESIANPOINT\s*\(\s*\((.*)\)\s*\)$", re.DOTALL)
_ROOT_PLACEMENT = re.compile(rb"^IFCLOCALPLACEMENT\s*\(\s*\$")


@dataclass(frozen=True, slots=True)
class Text:
    """A STEP file: what stands before and after its statements, and these by number."""

    head: bytes
    statements: dict[int, bytes]
    tail: bytes


def read(path: Path) -> Text:
    """Take a file apart."""
    data = path.read_bytes()
    begin = data.index(b"DATA;") + len(b"DATA;")
    end = data.rindex(b"ENDSEC;")
    found = {int(m[1]): m[2] for m in _STATEMENT.finditer(data, begin, end)}
    return Text(data[:begin] + b"\n", found, data[end:])


def write_changed(source: Path, target: Path, share: float) -> int:
    """Change the shape of a share of the elements, renumber and shuffle all; returns how many.

    Each changed element gets a small box in addition to what it has. Seeded.
    """
    model = ifcopenshell.open(str(source))
    text, seeded = read(source), random.Random(2026)  # noqa: S311
    statements = dict(text.statements)
    bodies = _bodies(model)
    chosen = seeded.sample(sorted(bodies), max(1, round(share * len(bodies))))
    free = max(statements) + 1
    size = 0.1 / ifcopenshell.util.unit.calculate_unit_scale(model)
    for number in chosen:
        *box, solid = _box(free, bodies[number], size)
        for line in (*box, solid):
            statements[free] = line
            free += 1
        changed, count = re.subn(rb"\)\s*\)\s*$", b",#%d))" % (free - 1), statements[number])
        assert count == 1
        statements[number] = changed
    numbers = list(range(1, len(statements) + 1))
    seeded.shuffle(numbers)
    new = dict(zip(statements, numbers, strict=True))
    lines = [
        b"#%d=%s;" % (new[number], _renumbered(body, new)) for number, body in statements.items()
    ]
    seeded.shuffle(lines)
    target.write_bytes(text.head + b"\n".join(lines) + b"\n" + text.tail)
    return len(chosen)


def _bodies(model: Any) -> dict[int, tuple[float, ...]]:
    """The bodies that belong to one product alone, by number, with a point of each."""
    found: dict[int, tuple[float, ...]] = {}
    for product in model.by_type("IfcElement"):
        shape = product.Representation
        if shape is None or product.is_a("IfcFeatureElement"):
            continue
        for body in shape.Representations:
            owners = [
                owner
                for item, kind in ((shape, "IfcProduct"), (body, "IfcProductRepresentation"))
                for owner in model.get_inverse(item)
                if owner.is_a(kind)
            ]
            if body.RepresentationIdentifier == "Body" and len(owners) == 2:
                points = (p for p in model.traverse(body) if p.is_a("IfcCartesianPoint"))
                three = (tuple(p.Coordinates) for p in points if len(p.Coordinates) == 3)
                found[body.id()] = next(three, (0.0, 0.0, 0.0))
    return found


def _box(free: int, at: tuple[float, ...], size: float) -> list[bytes]:
    """The statements of a box, numbered from `free` on; the last is the solid."""
    place, side = b",".join(map(_real, at)), _real(size)
    return [
        b"IFCCARTESIANPOINT((0.,0.))",
        b"IFCAXIS2PLACEMENT2D(#%d,$)" % free,
        b"IFCRECTANGLEPROFILEDEF(.AREA.,$,#%d,%s,%s)" % (free + 1, side, side),
        b"IFCCARTESIANPOINT((%s))" % place,
        b"IFCAXIS2PLACEMENT3D(#%d,$,$)" % (free + 3),
        b"IFCDIRECTION((0.,0.,1.))",
        b"IFCEXTRUDEDAREASOLID(#%d,#%d,#%d,%s)" % (free + 2, free + 4, free + 5, side),
    ]


def _real(value: float) -> bytes:
    """A number as STEP writes it, with a point whatever follows."""
    digits, e, power = repr(float(value)).upper().partition("E")
    return (digits if "." in digits else f"{digits}.").encode() + (e + power).encode()


def _renumbered(body: bytes, new: dict[int, int]) -> bytes:
    return _PIECES.sub(lambda m: m[1] or b"#%d" % new[int(m[2])], body)


def write_multiplied(source: Path, target: Path, size: int) -> int:
    """Write a file of about `size` bytes: copies of a model side by side; returns how many.

    The project, its units and contexts stand once. Each copy has GlobalIds of its own and stands
    elsewhere, and its points are stretched by a little more than the one before, so that its shapes
    are others. They stay round numbers, since exact geometry kernels are slow on others.
    """
    text = read(source)
    shared = _reached(text, next(n for n, b in text.statements.items() if b.startswith(b"IFCPROJECT(")))  # fmt: skip
    width = ifcopenshell.util.unit.calculate_unit_scale(ifcopenshell.open(str(source)))
    span, copies = max(text.statements) + 10, 0
    rooted = _rooted(text)
    with target.open("wb") as file:
        file.write(text.head)
        for number in sorted(shared):
            file.write(b"#%d=%s;\n" % (number, text.statements[number]))
        while copies == 0 or file.tell() < size:
            base = (copies + 1) * span
            x, y = (_real(200.0 / width * value) for value in (copies % 10, copies // 10))
            file.write(b"#%d=IFCCARTESIANPOINT((%s,%s,0.));\n" % (base - 9, x, y))
            file.write(b"#%d=IFCAXIS2PLACEMENT3D(#%d,$,$);\n" % (base - 8, base - 9))
            file.write(b"#%d=IFCLOCALPLACEMENT($,#%d);\n" % (base - 7, base - 8))
            for line in _copy(text, shared, rooted, base, copies):
                file.write(line)
            copies += 1
        file.write(text.tail)
    return copies


def _copy(text: Text, shared: set[int], rooted: set[int], base: int, copy: int) -> Iterator[bytes]:
    """The statements of one copy, their numbers moved by `base`."""

    def moved(piece: re.Match[bytes]) -> bytes:
        number = int(piece[2] or 0)
        return piece[1] or b"#%d" % (number if number in shared else number + base)

    for number, body in text.statements.items():
        if number in shared:
            continue
        body = _PIECES.sub(moved, body)  # noqa: PLW2901
        if number in rooted:
            digest = hashlib.blake2b(b"%d %d" % (number, copy), digest_size=21).digest()
            own = "0" + "".join(_ID_LETTERS[byte % 64] for byte in digest)
            body = _GLOBAL_ID.sub(rb"\g<1>%s'" % own.encode(), body)  # noqa: PLW2901
        elif point := _POINT.match(body):
            stretched = (
                _real(round(float(v) * (1 + 1e-4 * copy), 4)) for v in point[1].split(b",")
            )
            body = b"IFCCARTESIANPOINT((%s))" % b",".join(stretched)  # noqa: PLW2901
        else:
            body = _ROOT_PLACEMENT.sub(b"IFCLOCALPLACEMENT(#%d" % (base - 7), body)  # noqa: PLW2901
        yield b"#%d=%s;\n" % (number + base, body)


def _rooted(text: Text) -> set[int]:
    """The statements that begin with a GlobalId, and a few with a name of the same length."""
    return {number for number, body in text.statements.items() if _GLOBAL_ID.match(body)}


def _reached(text: Text, start: int) -> set[int]:
    """A statement and all it refers to."""
    found, stack = {start}, [start]
    while stack:
        for piece in _PIECES.finditer(text.statements[stack.pop()]):
            if piece[2] and int(piece[2]) not in found:
                found.add(int(piece[2]))
                stack.append(int(piece[2]))
    return found
