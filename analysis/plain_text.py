"""Text as documents may hold it."""

import re

_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def allowed(text: str) -> str:
    r"""The text without the characters no document may hold: control characters, lone surrogates.

    Source: XML 1.0, production 2 (Char).

    >>> allowed("J\x07S\ud800 1\x00")
    'JS 1'
    """
    return _FORBIDDEN.sub("", text)
