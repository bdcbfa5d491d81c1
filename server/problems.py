"""Errors as RFC 9457 problem documents: the one table from our errors to HTTP.

No web framework here: workers and the command line describe their errors the same way.
"""

import logging
import secrets
from collections.abc import Mapping

from cim_core import errors
from cim_core.feature import Value
from server.zh import in_chinese

_log = logging.getLogger(__name__)

STATUS: Mapping[type[errors.CimError], tuple[int, str]] = {
    errors.NotFound: (404, "Not found"),
    errors.InvalidInput: (422, "Invalid input"),
    errors.UnsupportedFormat: (415, "Unsupported format"),
    errors.TooLarge: (413, "Too large"),
    errors.Conflict: (409, "Conflict"),
    errors.Forbidden: (403, "Forbidden"),
    errors.MissingDependency: (503, "Missing dependency"),
    errors.Cancelled: (409, "Cancelled"),
}


def problem_of(error: Exception) -> dict[str, Value]:
    """The problem document of an error.

    What was not foreseen gets a number and nothing else: its text, which may hold anything, goes
    to the log under that number.
    """
    for kind, (status, title) in STATUS.items():
        if isinstance(error, kind):
            return problem(status, title, error.sentence)
    number = secrets.token_hex(6)
    _log.error("unforeseen error %s", number, exc_info=error)
    sentence = f"something went wrong inside; the log has it under {number}"
    return {**problem(500, "Internal error", sentence), "id": number}


def problem(status: int, title: str, sentence: str) -> dict[str, Value]:
    """A problem document; its sentence also in Chinese, where there is a translation."""
    chinese = in_chinese(sentence)
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": sentence,
        **({"detail_zh": chinese} if chinese else {}),
    }
