"""A program that sends observations for some seconds, as fast as they are taken.

`python -m benchmarks.ingest_client http|mqtt PORT KEY ROWS SECONDS CONNECTIONS`; prints JSON.
"""

import asyncio
import json
import sys
import threading
import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

STREAMS = 1000
_AGO = 20 * 3_600_000
_STEP = 64
"""Milliseconds between the times of two messages of one sender."""


def main() -> None:
    """Send, and say what was acknowledged."""
    kind, port, key, rows, seconds, connections = sys.argv[1:]
    begun, cpu = time.perf_counter(), time.process_time()
    if kind == "http":
        told = asyncio.run(_http(int(port), key, int(rows), float(seconds), int(connections)))
    else:
        told = _mqtt(int(port), int(rows), float(seconds))
    told["seconds"] = time.perf_counter() - begun
    told["cpu"] = time.process_time() - cpu
    sys.stdout.write(json.dumps(told))


async def _http(port: int, key: str, rows: int, seconds: float, connections: int) -> dict[str, Any]:
    begin = _now() - _AGO
    waits: list[float] = []
    taken = 0

    async def send(number: int) -> None:
        nonlocal taken
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        end, turn = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            when = begin + number + _STEP * turn
            body = b"[" + b",".join(_row(number * 7 + turn + k, when) for k in range(rows)) + b"]"
            turn += 1
            begun = time.perf_counter()
            writer.write(
                b"POST /ingest HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer %s\r\n"
                b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                % (key.encode(), len(body), body)
            )
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
            answer = json.loads(await reader.readexactly(size))
            waits.append(time.perf_counter() - begun)
            taken += answer["accepted"]
        writer.close()

    await asyncio.gather(*(send(number) for number in range(connections)))
    waits.sort()
    return {
        "taken": taken, "p50": 1000 * waits[len(waits) // 2],
        "p99": 1000 * waits[int(len(waits) * 0.99)],
    }  # fmt: skip


def _row(stream: int, when: int) -> bytes:
    return b'{"datastream":%d,"time":%d,"value":%d.5}' % (stream % STREAMS + 1, when, stream % 100)


def _mqtt(port: int, rows: int, seconds: float) -> dict[str, Any]:
    """Publish with at most some thousand messages under way."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    room = threading.Semaphore(2000)
    client.max_inflight_messages_set(2000)
    client.on_publish = lambda *_: room.release()
    client.connect("127.0.0.1", port)
    client.loop_start()
    begin, turn = _now() - _AGO, 0
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        stream = turn % STREAMS
        when = begin + turn // STREAMS * rows
        several = (b'{"ts":%d,"value":%d.5}' % (when + k, k) for k in range(rows))
        room.acquire()
        client.publish(f"cim/b/b/o{stream}/level", b"[" + b",".join(several) + b"]", qos=1)
        turn += 1
    for _ in range(2000):
        room.acquire()
    client.disconnect()
    client.loop_stop()
    return {"taken": turn * rows}


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    main()
