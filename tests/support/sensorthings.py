"""Entities for tests of SensorThings, and a service to ask about them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.support.serving import Server

MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)


def at(minutes: float) -> str:
    """A time so many minutes after all began, half a day ago."""
    return (START + timedelta(minutes=minutes)).isoformat().replace("+00:00", ".000Z")


def location(lon: float = 113.46, lat: float = 23.1, name: str = "at the gate") -> dict[str, Any]:
    return {
        "name": name, "description": "where it stands", "encodingType": "application/geo+json",
        "location": {"type": "Point", "coordinates": [lon, lat]},
    }  # fmt: skip


def sensor(name: str = "meter") -> dict[str, Any]:
    return {
        "name": name, "description": "a meter", "encodingType": "text/plain", "metadata": "type 1",
    }  # fmt: skip


def observed_property(name: str = "voltage") -> dict[str, Any]:
    return {"name": name, "definition": f"http://example.org/{name}", "description": name}


def datastream(name: str = "volts", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "description": "what the meter says", "observationType": MEASUREMENT,
        "unitOfMeasurement": {"name": "volt", "symbol": "V", "definition": "http://example.org/V"},
        **more,
    }  # fmt: skip


def lamp(name: str = "Lamp 1", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "a street lamp", **more}


def whole_lamp(name: str = "Lamp 1", lon: float = 113.46, results: Any = (), **more: Any) -> dict:
    """A lamp with all that belongs to it; the results a minute apart."""
    observations = [
        {"phenomenonTime": at(minute), "result": result} for minute, result in enumerate(results)
    ]
    stream = datastream(
        f"volts of {name}", Sensor=sensor(), ObservedProperty=observed_property(),
        Observations=observations,
    )  # fmt: skip
    return lamp(name, Locations=[location(lon)], Datastreams=[stream], **more)


class Asker:
    """A client of a service."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.root = str(client.base_url).rstrip("/") + "/sta/v1.1"

    def get(self, path: str, status: int = 200, **options: object) -> Any:
        """The answer to a question, its options without the dollar."""
        asked = {f"${name}": str(value) for name, value in options.items()}
        answer = self.client.get(f"{self.root}/{path}", params=asked)
        assert answer.status_code == status, answer.text
        json = answer.headers.get("content-type", "").startswith("application/")
        return answer.json() if json else answer.text

    def send(
        self, method: str, path: str, body: Any, status: int, **headers: str
    ) -> httpx.Response:
        answer = self.client.request(method, f"{self.root}/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer

    def make(self, path: str, body: Any) -> int | str:
        """Make an entity; its id."""
        answer = self.send("POST", path, body, 201)
        told = answer.json()
        assert answer.headers["location"] == told["@iot.selfLink"]
        return told["@iot.id"]

    def names(self, path: str, **options: object) -> list[str]:
        return [one["name"] for one in self.get(path, **options)["value"]]

    def results(self, path: str, **options: object) -> list[Any]:
        return [one["result"] for one in self.get(path, **options)["value"]]


@contextmanager
def three_lamps(city_folder: Path) -> Iterator[Asker]:
    """A service with three lamps, of which two observed, whose log is clean in the end."""
    running = Server(city_folder, city_folder.parent / "server.log")
    asker = Asker(running.client)
    asker.make(
        "Things", whole_lamp("Lamp 1", 113.46, [220, 225, 230], properties={"class": "lamp"})
    )
    asker.make("Things", whole_lamp("Lamp 2", 113.48, [100, 110]))
    asker.make("Things", lamp("Lamp 3"))
    yield asker
    running.stop()
    assert running.odd_lines() == []
