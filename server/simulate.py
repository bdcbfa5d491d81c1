"""Plays recorded observations as if they happened now, over HTTP or MQTT."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import httpx2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from cim_core.errors import Forbidden, InvalidInput, StorageFailed
from cim_core.mesh import Floats
from cim_core.observations import Times
from cim_core.progress import Progress

DAY = 86_400_000
"""Milliseconds."""

_AT_ONCE = 500
_PATIENCE = 30.0
_TICK = 1.0
_WAITS = (1.0, 2.0, 5.0, *[10.0] * 30)
_BUSY = frozenset({429, 503, 507})
_COLUMNS = ("datastream", "time", "value")
_REFUSED = range(400, 500)

Row = tuple[str, int, float]
"""The key of a datastream, milliseconds since 1970, the result."""


class Receiver(Protocol):
    """Where observations are sent to."""

    def send(self, rows: list[Row]) -> None:
        """Send some and wait until they are kept."""

    def close(self) -> None:
        """Say goodbye."""


@dataclass(frozen=True)
class Recording:
    """The last day of what was recorded, in the order of time.

    keys
        Of all datastreams.
    since
        (n,) milliseconds since that day began.
    rows, values
        (n,) each: which of the keys, and the result.
    """

    keys: list[str]
    since: Times
    rows: NDArray[np.int64]
    values: Floats

    def between(self, begin: float, end: float) -> slice:
        """The rows with begin < time ≤ end, milliseconds since the day began."""
        first, last = np.searchsorted(self.since, [begin, end], side="right").tolist()
        return slice(first, last)


def recorded(path: Path) -> Recording:
    """The last day of a Parquet file of datastream, time (ms since 1970) and value."""
    try:
        table = pq.read_table(path, columns=list(_COLUMNS))
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise InvalidInput(
            f"{path} cannot be played ({error}); give a Parquet file with the columns "
            "datastream, time (milliseconds since 1970) and value"
        ) from error
    times = table["time"].to_numpy()
    if not len(times):
        raise InvalidInput(f"{path} has no observations to play; give one that has")
    begin = int(times.max()) // 60_000 * 60_000 + 60_000 - DAY
    names = table["datastream"].combine_chunks().dictionary_encode()
    kept = np.flatnonzero(times >= begin)
    order = kept[np.argsort(times[kept], kind="stable")]
    return Recording(
        names.dictionary.to_pylist(), times[order] - begin,
        names.indices.to_numpy()[order].astype(np.int64), table["value"].to_numpy()[order],
    )  # fmt: skip


def play(
    recording: Recording, receiver: Receiver, progress: Progress, *, begins: int = 0,
    speed: float = 1.0, ticks: int | None = None, clock: Callable[[], float] = time.time,
    wait: Callable[[float], None] = time.sleep,
) -> int:  # fmt: skip
    """Send what happened at this time of the recorded day, day after day; how much was sent.

    begins
        The time of day the recording begins at, milliseconds after midnight (UTC).
    speed
        So many seconds of the recording in one.
    ticks
        End after so many seconds; never if None.
    """
    sent = 0
    start = clock()
    since = (start * 1000 - begins) % DAY
    played = since
    for _ in islice(iter(int, 1), ticks):
        wait(_TICK)
        now = clock()
        upto = since + (now - start) * 1000 * speed
        rows = list(_due(recording, played, upto, lambda at: start * 1000 + (at - since) / speed))
        for first in range(0, len(rows), _AT_ONCE):
            receiver.send(rows[first : first + _AT_ONCE])
        sent += len(rows)
        played = upto
        progress(0, 0, f"{sent:,} observations")
    return sent


def _due(
    recording: Recording, begin: float, end: float, moment: Callable[[float], float]
) -> Iterator[Row]:
    """What lies between two moments, counted on over as many days as there are."""
    day = int(begin // DAY)
    while day * DAY <= end:
        chosen = recording.between(begin - day * DAY, min(end - day * DAY, DAY))
        for row in range(chosen.start, chosen.stop):
            at = moment(day * DAY + int(recording.since[row]))
            yield recording.keys[recording.rows[row]], round(at), float(recording.values[row])
        day += 1


def receiver_at(address: str, district: str) -> Receiver:
    """What is at an address, http(s)://… or mqtt(s)://…; raises `InvalidInput`.

    A key for HTTP stands in CIM_KEY, a password for MQTT in CIM_MQTT_PASSWORD.
    """
    scheme = urlsplit(address).scheme
    if scheme in ("http", "https"):
        return Http(address)
    if scheme in ("mqtt", "mqtts"):
        return Mqtt(address, district)
    raise InvalidInput(f"{address!r} is no place to send to; give http://… or mqtt://…")


class Http:
    """A server."""

    def __init__(self, address: str) -> None:
        key = os.environ.get("CIM_KEY")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = httpx2.Client(base_url=address, headers=headers, timeout=_PATIENCE)

    def send(self, rows: list[Row]) -> None:
        """Send some and wait until they are kept."""
        body = {"observations": [{"datastream": k, "time": t, "value": v} for k, t, v in rows]}
        self.post("/ingest", body)

    def post(self, path: str, body: object) -> None:
        """Post something and wait until it is kept; raises what the server says of it."""
        answer = self._post(path, body)
        if answer.status_code in (401, 403):
            raise Forbidden(
                "the server does not take observations from here; put a key with the scope record "
                "into CIM_KEY"
            )
        if answer.status_code in _REFUSED:
            raise InvalidInput(f"the server refused what was sent: {answer.text[:300]}")

    def _post(self, path: str, body: object) -> httpx2.Response:
        """Post until somebody answers and is not too busy; raises `StorageFailed` in the end."""
        for seconds in _WAITS:
            try:
                answer = self._client.post(path, json=body)
                if answer.status_code not in _BUSY:
                    return answer
                time.sleep(float(answer.headers.get("retry-after", seconds)))
            except httpx2.TransportError:
                time.sleep(seconds)
        raise StorageFailed(f"nobody takes observations at {self._client.base_url}; is it served?")

    def close(self) -> None:
        """Say goodbye."""
        self._client.close()


class Mqtt:
    """A broker."""

    def __init__(self, address: str, district: str = "") -> None:
        parts = urlsplit(address)
        self._district = district
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._connected = threading.Event()
        self._client.on_connect = lambda *_: self._connected.set()
        if parts.username:
            self._client.username_pw_set(parts.username, os.environ.get("CIM_MQTT_PASSWORD"))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        try:
            self._client.connect(parts.hostname or "", port)
        except OSError as error:
            raise StorageFailed(
                f"no broker answers at {parts.hostname}:{port} ({error})"
            ) from error
        self._client.loop_start()
        if not self._connected.wait(_PATIENCE):
            raise StorageFailed(f"the broker at {parts.hostname}:{port} does not let anybody in")

    def send(self, rows: list[Row]) -> None:
        """Each to the topic of its datastream; until the broker has them all."""
        some = []
        for key, at, value in rows:
            thing, _, metric = key.partition("/")
            topic = f"cim/{self._district}/simulation/{thing}/{metric}"
            some.append((topic, f'{{"ts":{at},"value":{value!r}}}'))
        self.publish(some)

    def publish(self, some: list[tuple[str, str]]) -> None:
        """Publish payloads under topics; until the broker has them all."""
        sent = [self._client.publish(topic, payload, qos=1) for topic, payload in some]
        for message in sent:
            message.wait_for_publish(_PATIENCE)
            if not message.is_published():
                raise StorageFailed("the broker takes nothing any more; see what it says")

    def close(self) -> None:
        """Say goodbye."""
        self._client.loop_stop()
        self._client.disconnect()
