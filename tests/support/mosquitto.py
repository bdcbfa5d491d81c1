"""A real MQTT broker of its own, on a free port."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Broker:
    """`mosquitto` with what it keeps in a folder; the same port after a restart."""

    def __init__(self, folder: Path) -> None:
        if PROGRAM is None:
            if os.environ.get("CI") == "true":
                pytest.fail("mosquitto is missing, and nothing is skipped in CI")
            pytest.skip("mosquitto is not installed; run `make broker`")
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nautosave_interval 1\nmax_inflight_messages 1000\n"
            "max_queued_messages 0\nlog_type error\n"
        )
        if folder.owner() == "root":  # it would become another user, who has nothing here
            self._config.write_text(self._config.read_text() + "user root\n")
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Begin to listen."""
        self._process = subprocess.Popen([PROGRAM, "-c", str(self._config)])
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("mosquitto did not start")

    def stop(self) -> None:
        """End it; what it keeps is written."""
        self._process.terminate()
        self._process.wait(10)

    def client(self, name: str = "") -> paho.Client:
        """A client that is connected and has a thread of its own."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
        client.max_inflight_messages_set(1000)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        return client
