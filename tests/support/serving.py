"""A real server in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from cim_core.store.office import Office
from server.access.verbs import CITY_VERBS, LAYER_VERBS
from tests.support.warm import ROOT, Warm

LAYER_AND_CITY_VERBS = (*LAYER_VERBS, *CITY_VERBS, "own")

_people: dict[str, "Server"] = {}


def session_at(url: str) -> str | None:
    """A session of a data manager with the server of an address; None for a server of another kind."""
    server = _people.get(url)
    return server.session() if server else None


QUIET = re.compile(r"^(http://127\.0\.0\.1:\d+|INFO job \w+ (is \w+|goes back to the queue))\s*$")


class Server:
    """`cim serve` on a free port; its log is kept. `afresh` starts a new interpreter for it."""

    def __init__(self, city: Path, log: Path, afresh: bool = False, **settings: str) -> None:
        self.log = log
        log.touch()
        arguments = ["serve", "--city", str(city), "--port", "0"]
        self.process = (
            _afresh(arguments, log, settings) if afresh else Warm(arguments, log, log, **settings)
        )
        self.url = self._address()
        self.office = Office(city)
        _people[self.url] = self
        headers = {"authorization": f"Bearer {self.key()}"}
        self.client = httpx.Client(base_url=self.url, timeout=30, headers=headers)

    def account(self, role: str = "data-manager", **more: object) -> str:
        """The id of an account with one role, which is its name as well."""
        known = self.office.people.named(role)
        return (known or self.office.people.add(role, roles=(role,), **more)).id

    def key(self, role: str = "data-manager", **more: object) -> str:
        """A key of that account that is good for all its role may do."""
        return self.office.keys.add(self.account(role, **more), role, LAYER_AND_CITY_VERBS, 1)[1]

    def session(self, role: str = "data-manager", **more: object) -> str:
        """The token of a session of that account."""
        return self.office.sessions.begin(self.account(role, **more), "127.0.0.1", 3600, "password")

    def _address(self) -> str:
        started = self.log.stat().st_size
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = re.findall(
                r"http://127\.0\.0\.1:\d+", self.log.read_text()[started:] or self.log.read_text()
            )
            if found and self.log.read_text().rstrip().endswith(found[-1]):
                try:
                    httpx.get(f"{found[-1]}/healthz", timeout=1)
                except httpx.TransportError:
                    pass
                else:
                    return found[-1]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def upload(self, path: Path, **query: str) -> dict:
        """Post a file; returns the job."""
        answer = self.client.post(
            "/imports", params={"filename": path.name, **query}, content=path.read_bytes(),
            headers={"content-type": "application/octet-stream"},
        )  # fmt: skip
        assert answer.status_code == 202, answer.text
        assert answer.headers["location"] == f"/jobs/{answer.json()['jobID']}"
        return answer.json()

    def finished(self, job_id: str, seconds: float = 60) -> dict:
        """Wait until a job has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self.client.get(f"/jobs/{job_id}").json()
            if job["status"] in ("successful", "failed", "dismissed"):
                return job
            time.sleep(0.1)
        raise AssertionError(f"job {job_id} did not end: {job}")

    def stop(self) -> None:
        """End it as a service manager would."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) in (0, -signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.client.close()
        self.process.kill()
        self.process.wait()

    def odd_lines(self) -> list[str]:
        """What stands in the log and should not."""
        return [
            line for line in self.log.read_text().splitlines() if line and not QUIET.match(line)
        ]


def _afresh(arguments: list[str], log: Path, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "server", *arguments],
            cwd=ROOT, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "200", **settings},
        )  # fmt: skip
