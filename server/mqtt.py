"""Observations and traffic by MQTT: a message is acknowledged once what it says is on disk.

Until then the broker keeps it, and sends it again to whoever comes back under the same name.
"""

import contextlib
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cim_core.errors import CimError, InvalidInput, StorageFailed, TooMany
from cim_core.observation_sources import ObservationSources
from server.given import Rows
from server.mqtt_messages import Told, Topics, read_message
from server.record import Recorded, Recorder
from server.settings import Settings
from server.sifting import Asked
from server.traffic.feed import TrafficFeed
from server.traffic.recorder import Taken, TrafficRecorder

R = TypeVar("R")

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_SOONEST, _LATEST = 1, 60
"""Seconds after which a connection is tried again, longer each time."""
_AGAIN_SECONDS = 1.0
_TOGETHER = 2_000
"""Messages that are handed on together."""
_ROWS = 20_000
"""Observations that are handed on in one piece, so that others' find room as well."""
_ROOM_SECONDS = 0.1
"""After so long it is looked again whether there is room."""
_LONGEST_LETTER = 4_000
"""Bytes that are kept of a message that cannot be recorded."""
_MOST_BYTES = 16 << 20
"""What may wait; then nothing more is read, and the broker waits as well."""
_KEEPALIVE = 30

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Arrived:
    connection: int
    message: paho.MQTTMessage
    at: int


@dataclass(frozen=True, slots=True)
class _Said:
    """A message, and what its topic says."""

    arrived: _Arrived
    told: Told

    def read(self, rows: Rows) -> None:
        """Add it to the rows of its source."""
        message = self.arrived.message
        payload = bytes(message.payload)
        read_message(rows, self.told, payload, self.arrived.at, retained=message.retain)


class Mqtt:
    """A connection to a broker that feeds the recorder, for as long as the server runs."""

    def __init__(
        self, settings: Settings, sources: ObservationSources, recorder: Recorder,
        traffic: TrafficRecorder | None = None,
    ) -> None:  # fmt: skip
        self._sources, self._recorder = sources, recorder
        self._traffic = TrafficFeed(traffic, settings.mqtt_traffic) if traffic else None
        self._topics = Topics(())
        self._waiting: deque[_Arrived] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._connection = 0
        self._connected = False
        self._received = self._recorded = 0
        self._problem: str | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._host, self._port, self._client = _client(settings)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_message = self._on_message

    @property
    def state(self) -> dict[str, Any]:
        """How it stands: whether there is a connection, and how many messages were taken."""
        return {
            "connected": self._connected, "received": self._received, "recorded": self._recorded,
            "waiting": self._received - self._recorded, "problem": self._problem,
        }  # fmt: skip

    def start(self) -> None:
        """Connect, now or when the broker is there."""
        self._thread.start()
        self._client.connect_async(self._host, self._port, _KEEPALIVE)
        self._client.loop_start()

    def stop(self) -> None:
        """Record what has arrived, and hang up."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: paho.Client, userdata: Any, flags: paho.ConnectFlags, code: ReasonCode,
        properties: Properties | None,
    ) -> None:  # fmt: skip
        if code.is_failure:
            self._say(
                f"the MQTT broker refuses the connection ({code}); look at its user and password"
            )
            return
        try:
            sources = tuple(self._sources.all().values())
        except CimError as error:  # with what is known it goes on
            self._say(error.sentence)
        else:
            self._topics = Topics(sources)
            filters = {one for source in sources for one in source.filters}
            filters.update(self._traffic.filters if self._traffic else ())
            if filters:
                client.subscribe([(one, 1) for one in sorted(filters)])
            self._problem = None
        with self._changed:
            # Numbers of messages begin anew: those of another connection are not acknowledged here.
            self._connection += 1
        self._connected = True

    def _on_disconnect(
        self, client: paho.Client, userdata: Any, flags: paho.DisconnectFlags, code: ReasonCode,
        properties: Properties | None,
    ) -> None:  # fmt: skip
        self._connected = False
        if not self._stopping:
            self._say(f"the connection with the MQTT broker is lost ({code}); it is tried again")

    def _on_connect_fail(self, client: paho.Client, userdata: Any) -> None:
        self._say("the MQTT broker cannot be reached; it is tried again")

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        with self._changed:
            while self._bytes > _MOST_BYTES and not self._stopping:
                self._changed.wait()
            self._waiting.append(_Arrived(self._connection, message, time.time_ns() // 1_000_000))
            self._bytes += len(message.payload)
            self._received += 1
            if len(self._waiting) == 1:
                self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if not self._waiting:
                    return
                count = min(len(self._waiting), _TOGETHER)
                together = [self._waiting.popleft() for _ in range(count)]
            left = self._record(together)
            while left and not self._stopping:
                time.sleep(_AGAIN_SECONDS)
                left = self._record(left)
            with self._changed:
                self._bytes -= sum(len(one.message.payload) for one in together)
                self._changed.notify_all()
            missing = set(map(id, left))
            self._acknowledge([one for one in together if id(one) not in missing])

    def _record(self, together: Sequence[_Arrived]) -> list[_Arrived]:
        """Put on disk what some messages say; those of sources for which that failed."""
        of_sources: dict[str, list[_Said]] = defaultdict(list)
        of_layers: dict[str, list[_Arrived]] = defaultdict(list)
        for one in together:
            layer = self._traffic.layer(one.message.topic) if self._traffic else None
            if layer is not None:
                of_layers[layer].append(one)
                continue
            told = self._topics.told(one.message.topic)
            if told is not None:  # else a topic of an earlier setting, which the broker remembers
                of_sources[told.source.name].append(_Said(one, told))
        waiting = [(some, self._submitted(some)) for some in of_sources.values()]
        problem, left = self._record_traffic(of_layers)
        for some, submitted in waiting:
            try:
                try:
                    _finish(submitted)
                except (StorageFailed, TooMany):
                    raise
                except Exception:  # noqa: BLE001 – which one it was is found out
                    self._one_by_one(some)
            except (StorageFailed, TooMany) as error:
                problem = error.sentence
                left += [one.arrived for one in some]
            except Exception:  # noqa: BLE001 – they stay with the broker, and the thread lives on
                _log.exception("messages could not be recorded")
                left += [one.arrived for one in some]
        if problem is not None:
            self._say(problem)
        elif not left:
            self._problem = None
        return left

    def _record_traffic(
        self, of_layers: Mapping[str, Sequence[_Arrived]]
    ) -> tuple[str | None, list[_Arrived]]:
        """Put on disk what messages of layers say; what is wrong, and those for which it failed."""
        problem: str | None = None
        left: list[_Arrived] = []
        waiting = [(some, self._traffic_of(layer, some)) for layer, some in of_layers.items()]
        for some, submitted in waiting:
            try:
                _finish(submitted)
            except CimError as error:
                problem = error.sentence
                left += some
            except Exception:  # noqa: BLE001 – they stay with the broker, and the thread lives on
                _log.exception("messages could not be recorded")
                left += some
        return problem, left

    def _submitted(self, some: Sequence["_Said"]) -> "list[Future[Recorded]]":
        """What is waited for until messages of one source are on disk, in pieces that find room.

        What goes wrong is told by the last that is waited for.
        """
        waiting: list[Future[Recorded]] = []
        try:
            rows = Rows(some[0].told.source.time_zone)
            for one in some:
                one.read(rows)
            size = sum(len(one.arrived.message.payload) for one in some)
            for piece in rows.given(size).pieces(_ROWS) if len(rows) else ():
                waiting.append(self._let_in(Asked(some[0].told.source, piece)))
        except Exception as error:  # noqa: BLE001 – whoever waits is told
            failed: Future[Recorded] = Future()
            failed.set_exception(error)
            waiting.append(failed)
        return waiting

    def _traffic_of(self, layer: str, some: Sequence[_Arrived]) -> "list[Future[Taken]]":
        """What is waited for until messages of a layer are on disk; it tells what goes wrong, too.

        What the broker kept is of no known time, and left out.
        """
        assert self._traffic is not None
        heard = [(bytes(one.message.payload), one.at) for one in some if not one.message.retain]
        try:
            return self._traffic.submitted(layer, heard, self._when_room)
        except Exception as error:  # noqa: BLE001 – whoever waits is told
            failed: Future[Taken] = Future()
            failed.set_exception(error)
            return [failed]

    def _let_in(self, asked: Asked) -> "Future[Recorded]":
        """Submit a piece as soon as there is room; raises `TooMany` when the server stops."""
        return self._when_room(partial(self._recorder.submit, asked))

    def _when_room(self, submit: "Callable[[], Future[R]]") -> "Future[R]":
        while True:
            try:
                return submit()
            except TooMany as error:
                if self._stopping:
                    raise
                self._say(error.sentence)
                time.sleep(_ROOM_SECONDS)

    def _one_by_one(self, some: Sequence["_Said"]) -> None:
        """Record messages of one source each by itself, and as a dead letter what cannot be."""
        guilty: list[_Said] = []
        why: Exception | None = None
        waiting = [(one, self._submitted([one])) for one in some]
        for one, submitted in waiting:
            try:
                _finish(submitted)
            except (StorageFailed, TooMany):
                raise
            except Exception as error:  # noqa: BLE001 – it is kept, with all that is known of it
                guilty.append(one)
                why = error
        if guilty:
            _log.error("%d messages cannot be recorded", len(guilty), exc_info=why)
            rows = Rows()
            for one in guilty:
                text = bytes(one.arrived.message.payload[:_LONGEST_LETTER]).decode(
                    "utf-8", "replace"
                )
                rows.unreadable("this message cannot be recorded; the log says why", text)
            _finish([self._let_in(Asked(some[0].told.source, rows.given(0)))])

    def _acknowledge(self, together: Sequence[_Arrived]) -> None:
        for one in together:
            with self._changed:
                same = one.connection == self._connection
            if same and one.message.qos:
                self._client.ack(one.message.mid, one.message.qos)
        self._recorded += len(together)

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            _log.warning("%s", problem)
        self._problem = problem


def _finish(waiting: "Sequence[Future[Any]]") -> None:
    """Wait for all of some, and raise what one of them raises."""
    wait(waiting)
    for one in waiting:
        one.result()


def _client(settings: Settings) -> tuple[str, int, paho.Client]:
    """Where the broker is, and a client for it; raises `InvalidInput`."""
    parts = urlsplit(settings.mqtt_url or "")
    port = None
    with contextlib.suppress(ValueError):
        port = parts.port or _PORTS.get(parts.scheme)
    if port is None or not parts.hostname or parts.scheme not in _PORTS or parts.password:
        raise InvalidInput(
            "CIM_MQTT_URL (or --mqtt) is no address of a broker; give it as in "
            "mqtt://user@host:1883 or mqtts://host, the password as CIM_MQTT_PASSWORD"
        )
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=settings.mqtt_client, clean_session=False,
        manual_ack=True,
    )  # fmt: skip
    client.reconnect_delay_set(_SOONEST, _LATEST)
    password = settings.mqtt_password.get_secret_value() if settings.mqtt_password else None
    if parts.username:
        client.username_pw_set(unquote(parts.username), password)
    if parts.scheme == "mqtts":
        client.tls_set()
    return parts.hostname, port, client
