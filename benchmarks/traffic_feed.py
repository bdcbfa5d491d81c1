"""`python -m benchmarks.traffic_feed URL LAYER KEY VEHICLES HERTZ [measure]`: moves vehicles until told to end.

Prints a line when it has begun; ends with the first line it is given. With `measure` it also asks for
measures of the recorded hour without a pause, each time of a window nobody asked for before, and prints
the seconds that each took.
"""

import sys
import threading
import time

import httpx
import numpy as np
import orjson

from benchmarks.traffic_live import HOUR, START
from tests.support.traffic import lon_lat

_AT_ONCE = 500


def main() -> None:
    """Feed, and ask."""
    url, layer, key, vehicles, hertz, *more = sys.argv[1:]
    done = threading.Event()
    headers = {"authorization": f"Bearer {key}"}
    threads = [
        threading.Thread(
            target=_feed, args=(url, layer, headers, int(vehicles), float(hertz), done)
        )
    ]
    taken: list[float] = []
    if "measure" in more:
        threads.append(threading.Thread(target=_ask, args=(url, headers, taken, done)))
    for thread in threads:
        thread.start()
    print("begun", flush=True)  # noqa: T201
    sys.stdin.readline()
    done.set()
    for thread in threads:
        thread.join()
    print(*(round(one, 2) for one in taken))  # noqa: T201


def _feed(
    url: str,
    layer: str,
    headers: dict[str, str],
    vehicles: int,
    hertz: float,
    done: threading.Event,
) -> None:
    random = np.random.default_rng(1)
    places = lon_lat(random.uniform(-400, 400, (vehicles, 2)))
    drift = random.normal(0, 1e-6, (vehicles, 2))
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        due = time.monotonic()
        while not done.is_set():
            due += 1 / hertz
            time.sleep(max(0.0, due - time.monotonic()))
            places += drift
            now = time.time_ns() // 1_000_000
            rows = [
                {"time": now, "who": f"v{n}", "lon": lon, "lat": lat, "speed": 10.0, "heading": 90.0, "kind": "passenger"}
                for n, (lon, lat) in enumerate(places.tolist())
            ]  # fmt: skip
            body = [{"positions": rows[at : at + _AT_ONCE]} for at in range(0, vehicles, _AT_ONCE)]
            answer = client.post(
                f"/traffic/messages/{layer}", content=orjson.dumps(body),
                headers={"content-type": "application/json"},
            )  # fmt: skip
            answer.raise_for_status()


def _ask(url: str, headers: dict[str, str], taken: list[float], done: threading.Event) -> None:
    with httpx.Client(base_url=url, headers=headers, timeout=180) as client:
        while not done.is_set():
            begun, later = time.perf_counter(), 1000 * len(taken)
            asked: dict[str, str | int] = {
                "intersection": "J1",
                "start": START + later,
                "end": START + HOUR + later,
            }
            client.get("/measures", params=asked).raise_for_status()
            taken.append(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
