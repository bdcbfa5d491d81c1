"""What is wrong with a message, by the element that is."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from cim_core.errors import InvalidInput

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<name>.+)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>.+)`$")
_GOT = re.compile(r"^Expected `(?P<wanted>.+)`, got `(?P<got>.+)`$")
_WANTED = re.compile(r"^Expected `(?P<wanted>.+?)`(?P<more>.*)$")
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<place>\d+)\]")
_LONGEST = 80
"""Letters of what was found that are shown."""

_anything = msgspec.json.Decoder()


class MessageRefused(InvalidInput):
    """A message that cannot be taken.

    path
        The element, as in `$.spatFrame.intersections[0].phases[1].id`; `$` is the whole.
    found, wanted
        What stands there, as JSON, None where nothing does; and what should.
    """

    def __init__(self, path: str, found: str | None, wanted: str) -> None:
        self.path, self.found, self.wanted = path, found, wanted
        super().__init__(
            f"{path} is missing, and {wanted} is wanted there; correct what sends the message"
            if found is None
            else f"{path} is {found}, and {wanted} is wanted there; correct what sends the message"
        )


def refused(payload: bytes, error: msgspec.MsgspecError, above: str = "$") -> MessageRefused:
    """What msgspec found wrong, said of the whole message.

    payload
        What was read, bytes of JSON.
    above
        The path of what was read in the whole message.
    """
    malformed = _malformed(payload)
    told = _AT.match(str(malformed or error))
    assert told is not None
    what, inner = told["what"], told["path"] or "$"
    if malformed is not None or not isinstance(error, msgspec.ValidationError):
        return MessageRefused(above, _shown_text(payload), f"JSON ({what})")
    path = above + inner.removeprefix("$")
    missing = _MISSING.match(what)
    if missing is not None:
        return MessageRefused(f"{path}.{missing['name']}", None, "a value")
    unknown = _UNKNOWN.match(what)
    if unknown is not None:
        return MessageRefused(f"{path}.{unknown['name']}", "unknown", "an element of the message")
    got, wanted = _GOT.match(what), _WANTED.match(what)
    text = "one of the values it may have"  # msgspec says only what is none of them
    if wanted is not None:
        text = got["wanted"] if got is not None else wanted["wanted"] + wanted["more"]
    return MessageRefused(path, _found(payload, inner), text)


def wrong(path: Sequence[str | int], found: Any, wanted: str) -> MessageRefused:
    """What a decoder itself does not take; `path` is names, and places in lists.

    >>> wrong(("phases", 0, "light"), 99, "0 to 8").path
    '$.phases[0].light'
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return MessageRefused("$" + "".join(steps), _shown(found), wanted)


def _malformed(payload: bytes) -> Exception | None:
    """Why a message is no JSON, which is found out only behind an element that is wrong; None if it is."""
    try:
        _anything.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return error
    return None


def _found(payload: bytes, path: str) -> str:
    """What stands at a path, which msgspec has just walked."""
    there = _anything.decode(payload)
    for step in _STEP.finditer(path):
        try:
            there = there[step["name"]] if step["place"] is None else there[int(step["place"])]
        except (KeyError, IndexError, TypeError):  # of a key that msgspec writes as […]
            break
    return _shown(there)


def _shown(found: Any) -> str:
    return _shown_text(msgspec.json.encode(found))


def _shown_text(text: bytes) -> str:
    shown = text.decode("utf-8", "replace").strip() or "empty"
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"
