"""STEP files that say the same in other words."""

import random
import re

_TOKEN = re.compile(rb"('[^']*')|#(\d+)")
_STATEMENT = re.compile(rb"#\d+\s*=(?:[^;']|'[^']*')*;")


def renumbered(data: bytes, seed: int = 0) -> bytes:
    """Every statement under another number and in another place, as a new export may have it."""
    head, body = data.split(b"DATA;", 1)
    body, tail = body.rsplit(b"ENDSEC;", 1)
    statements = _STATEMENT.findall(body)
    chance = random.Random(seed)
    numbers = chance.sample(range(1, 3 * len(statements)), len(statements))
    new = {
        statement[1 : statement.index(b"=")].strip(): b"#%d" % number
        for statement, number in zip(statements, numbers, strict=True)
    }
    moved = [_TOKEN.sub(lambda t: t[1] or new[t[2]], statement) for statement in statements]
    chance.shuffle(moved)
    return head + b"DATA;\n" + b"\n".join(moved) + b"\nENDSEC;" + tail
