"""JSON Patch (RFC 6902): a list of small changes to one document."""

import copy
from typing import Any

from cim_core.errors import Conflict, InvalidInput

_MOST = 1_000


def patched(document: dict[str, Any], operations: object) -> dict[str, Any]:
    """A document after all changes; raises `InvalidInput`, or `Conflict` where a test fails.

    >>> patched({"a": 1}, [{"op": "add", "path": "/b", "value": [2]}, {"op": "remove", "path": "/a"}])
    {'b': [2]}
    """
    if not isinstance(operations, list) or len(operations) > _MOST:
        raise InvalidInput(f"a JSON Patch is a list of up to {_MOST:,} operations; send one")
    changed: Any = copy.deepcopy(document)
    for operation in operations:
        if not isinstance(operation, dict):
            raise InvalidInput(
                "an operation of a JSON Patch is an object with op and path; correct it"
            )
        changed = _applied(changed, operation)
    if not isinstance(changed, dict):
        raise InvalidInput("the JSON Patch leaves no object; an entity is one")
    return changed


def _applied(document: Any, operation: dict[str, Any]) -> Any:
    path = _steps(operation.get("path"))
    match operation.get("op"):
        case "add":
            return _put(document, path, _given(operation), new=True)
        case "replace":
            _look(document, path)
            return _put(document, path, _given(operation), new=False)
        case "remove":
            return _without(document, path)
        case "copy":
            found = copy.deepcopy(_look(document, _steps(operation.get("from"))))
            return _put(document, path, found, new=True)
        case "move":
            origin = _steps(operation.get("from"))
            found = _look(document, origin)
            return _put(_without(document, origin), path, found, new=True)
        case "test":
            if _look(document, path) != _given(operation):
                raise Conflict(
                    f"the test of {operation['path']!r} in the JSON Patch fails, so nothing is changed; "
                    "look at the entity again"
                )
            return document
    raise InvalidInput(
        f"{str(operation.get('op'))[:40]!r} is no operation of a JSON Patch; take one of add, copy, "
        "move, remove, replace, test"
    )


def _given(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise InvalidInput("an operation of a JSON Patch needs a value; send it")
    return operation["value"]


def _steps(pointer: object) -> list[str]:
    """A JSON Pointer (RFC 6901)."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise InvalidInput(
            f"{str(pointer)[:60]!r} is no JSON Pointer; write it as in /properties/class"
        )
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _look(document: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            raise InvalidInput(
                f"the JSON Patch names {'/'.join(path)[:60]!r}, which is not there; correct the path"
            )
    return document


def _put(document: Any, path: list[str], value: Any, *, new: bool) -> Any:
    if not path:
        return value
    there, last = _look(document, path[:-1]), path[-1]
    if isinstance(there, dict):
        there[last] = value
    elif isinstance(there, list) and new and last == "-":
        there.append(value)
    elif isinstance(there, list) and last.isdigit() and int(last) <= len(there):
        there[int(last) : int(last) + (not new)] = [value]
    else:
        _look(document, path)
    return document


def _without(document: Any, path: list[str]) -> Any:
    if not path:
        return None
    _look(document, path)
    there = _look(document, path[:-1])
    del there[int(path[-1]) if isinstance(there, list) else path[-1]]
    return document
