"""Errors as RFC 9457 problem documents: the one table from our errors to HTTP.

No web framework here: workers and the command line describe their errors the same way.
"""

import errno
import logging
import os
import secrets
import sqlite3
from collections.abc import Mapping

from cim_core import errors
from cim_core.feature import Value
from server.checkin import Refused
from server.zh import in_chinese

_DISK = {
    errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT,
    errno.ENAMETOOLONG, errno.EIO,
}  # fmt: skip
_REGISTRY = ("full", "readonly", "disk I/O", "unable to open", "locked")

_log = logging.getLogger(__name__)

STATUS: Mapping[type[errors.CimError], tuple[int, str]] = {
    errors.NotFound: (404, "Not found"),
    errors.InvalidInput: (422, "Invalid input"),
    errors.UnsupportedFormat: (415, "Unsupported format"),
    errors.TooLarge: (413, "Too large"),
    errors.Conflict: (409, "Conflict"),
    errors.OutOfDate: (412, "Out of date"),
    errors.Forbidden: (403, "Forbidden"),
    errors.SignInNeeded: (401, "Sign-in needed"),
    errors.TooMany: (429, "Too many requests"),
    errors.MissingDependency: (503, "Missing dependency"),
    errors.StorageFailed: (507, "Storage failed"),
    errors.Cancelled: (409, "Cancelled"),
}


_OGC = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"

TYPES: Mapping[type[errors.CimError], str] = {
    errors.NoSuchAnalysis: f"{_OGC}no-such-process",
    errors.NoSuchJob: f"{_OGC}no-such-job",
    errors.NotReady: f"{_OGC}result-not-ready",
}
"""The problems that a standard has given a name (OGC 18-062r2, 7.11 to 7.13)."""


CODES: Mapping[type[errors.CimError], str] = {errors.CodeNeeded: "second-factor"}
"""The problems that a program has to tell from others of the same status."""


def problem_of(error: Exception) -> dict[str, Value]:
    """The problem document of an error.

    What was not foreseen gets a number and nothing else: its text, which may hold anything, goes
    to the log under that number.
    """
    foreseen = foreseen_as(error)
    if foreseen is not None:
        status, title = next(
            answer for kind, answer in STATUS.items() if isinstance(foreseen, kind)
        )
        described = problem(
            status, title, foreseen.sentence, TYPES.get(type(foreseen), "about:blank")
        )
        if code := CODES.get(type(foreseen)):
            described["code"] = code
        if isinstance(foreseen, Refused):
            described |= {"detail_zh": foreseen.chinese, "checkin": dict(foreseen.checkin)}
        return described
    number = secrets.token_hex(6)
    _log.error("unforeseen error %s", number, exc_info=error)
    sentence = f"something went wrong inside; the log has it under {number}"
    return {**problem(500, "Internal error", sentence), "id": number}


def foreseen_as(error: Exception) -> errors.CimError | None:
    """The error as one of ours: itself, or what the disk refused; None if nobody foresaw it."""
    if isinstance(error, errors.CimError) and isinstance(error, tuple(STATUS)):
        return error
    if isinstance(error, OSError) and error.errno in _DISK:
        where = error.filename or "the city's folder"
        reason = os.strerror(error.errno).lower()
    elif isinstance(error, sqlite3.OperationalError) and any(w in str(error) for w in _REGISTRY):
        where, reason = "the city's registry", str(error)
    else:
        return None
    return errors.StorageFailed(
        f"{where} cannot be read or written ({reason}); free space or correct the permissions, then "
        "try again"
    )


def problem(status: int, title: str, sentence: str, kind: str = "about:blank") -> dict[str, Value]:
    """A problem document; its sentence also in Chinese, where there is a translation."""
    sentence = sentence.encode("utf-8", "backslashreplace").decode()  # it may quote half a letter
    chinese = in_chinese(sentence)
    return {
        "type": kind,
        "title": title,
        "status": status,
        "detail": sentence,
        **({"detail_zh": chinese} if chinese else {}),
    }
