"""Rows as messages in plain units, and where they are sent to."""

import json
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import urlsplit

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.traffic.moving import ROAD_USERS, Moving, Positions, SignalStates, take
from cim_core.traffic.roads import Light
from server.simulate import Http, Mqtt
from server.traffic.replay import Send

_AT_ONCE = 500
_LIGHTS = get_args(Light)


def messages(rows: list[Moving]) -> Iterator[dict[str, Any]]:
    """Positions and signals as messages of some hundred rows each."""
    for part in rows:
        for begin in range(0, len(part), _AT_ONCE):
            some = take(part, np.arange(begin, min(begin + _AT_ONCE, len(part))))
            if isinstance(some, Positions):
                yield {"positions": [*_positions(some)]}
            elif isinstance(some, SignalStates):
                yield {"signals": [*_signals(some)]}


def sends_to(address: str, layer: str) -> tuple[Send, Http | Mqtt]:
    """What sends to http(s)://… or mqtt(s)://…, and what is to be closed at the end.

    A key for HTTP stands in CIM_KEY, a password for MQTT in CIM_MQTT_PASSWORD.
    """
    scheme = urlsplit(address).scheme
    if scheme in ("http", "https"):
        http = Http(address)
        path = f"/traffic/messages/{layer}"
        return lambda rows: http.post(path, [*messages(rows)]), http
    if scheme in ("mqtt", "mqtts"):
        broker = Mqtt(address)
        topic = f"v2x/{layer}/rows"
        return lambda rows: broker.publish(
            [(topic, json.dumps(one, ensure_ascii=False)) for one in messages(rows)]
        ), broker
    raise InvalidInput(f"{address!r} is no place to send to; give http://… or mqtt://…")


def _positions(some: Positions) -> Iterator[dict[str, Any]]:
    columns = {
        "speed": some.speeds, "heading": some.headings, "acceleration": some.accelerations,
        "length": some.lengths,
    }  # fmt: skip
    known = {name: np.isfinite(column) for name, column in columns.items()}
    who = some.who.texts()
    for row in range(len(some)):
        told = {name: round(float(columns[name][row]), 3) for name in columns if known[name][row]}
        yield {
            "time": int(some.times[row]), "who": who[row], "lon": float(some.lon[row]),
            "lat": float(some.lat[row]), "kind": ROAD_USERS[some.kinds[row]], **told,
        }  # fmt: skip


def _signals(some: SignalStates) -> Iterator[dict[str, Any]]:
    intersections, groups = some.intersections.texts(), some.groups.texts()
    for row in range(len(some)):
        remaining = float(some.remaining[row])
        yield {
            "time": int(some.times[row]), "intersection": intersections[row], "group": groups[row],
            "light": _LIGHTS[some.lights[row]],
            **({"remaining": round(remaining, 3)} if np.isfinite(remaining) else {}),
        }  # fmt: skip
