"""Files of map messages: one message, an array of them, or one in each line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cim_core.errors import InvalidInput, TooLarge
from cim_core.hostile import parsed_json
from cim_core.traffic.roads import RoadMap
from pipelines.roads_xml import limits, opened
from pipelines.v2x_map import map_message, nodes_of, roads_of
from pipelines.v2x_refused import MessageRefused
from pipelines.v2x_told import ToldNode


def read_map_messages(path: Path, name: str) -> tuple[RoadMap, tuple[str, ...]]:
    """The road map of a file of map messages, and what is not as it should be.

    Other messages among them are passed over. Raises `InvalidInput` naming the message and the
    element that is wrong.
    """
    nodes: list[ToldNode] = []
    for number, payload in enumerate(messages(path, name), 1):
        found = map_message(payload)
        if found is not None:
            try:
                nodes += nodes_of(found)
            except MessageRefused as error:
                raise InvalidInput(f"{name}, message {number}: {error.sentence}") from None
    if not any(node.into for node in nodes):
        raise InvalidInput(
            f"{name} holds no map message with lanes; give MAP of T/CSAE 53 or of SAE J2735 as JSON"
        )
    return roads_of(nodes, f"map messages {name}"[:500])


def messages(path: Path, name: str) -> Iterator[Any]:
    """The messages of a file; raises `InvalidInput` naming the line that is no JSON."""
    with opened(path) as file:
        text = file.read(limits().message + 1)
    if len(text) > limits().message:
        raise TooLarge(
            f"{name} holds more than {limits().message >> 20} MiB; keep the map messages only"
        )
    try:
        whole = parsed_json(text)
    except (ValueError, RecursionError):
        yield from _lines(text, name)
        return
    yield from whole if isinstance(whole, list) else [whole]


def _lines(text: bytes, name: str) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield parsed_json(line)
            except (json.JSONDecodeError, UnicodeDecodeError, ValueError) as error:
                raise InvalidInput(
                    f"{name}, line {number}, is no JSON: {error}; give one message, an array of them "
                    "or one in each line"
                ) from None
