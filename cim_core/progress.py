"""How long work tells how far it is, and learns that it should stop."""

from collections.abc import Callable

from cim_core.errors import Cancelled

Report = Callable[[int, int, str], None]


class Progress:
    """One small object that every long loop asks: it reports, and raises `Cancelled`.

    >>> seen = []
    >>> progress = Progress(lambda done, total, note: seen.append((done, total, note)))
    >>> progress(1, 2, "geometry"); seen
    [(1, 2, 'geometry')]
    """

    def __init__(
        self, report: Report | None = None, cancelled: Callable[[], bool] | None = None
    ) -> None:
        self._report = report
        self._cancelled = cancelled

    def __call__(self, done: int, total: int, note: str) -> None:
        """Say that `done` of `total` steps of the stage `note` are behind us.

        Raises `Cancelled` when whoever ordered the work no longer wants it.
        """
        self.ask()
        if self._report is not None:
            self._report(done, total, note)

    def ask(self) -> None:
        """Ask whether to go on, with nothing to report; raises `Cancelled`."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("the job was cancelled; the city is as it was before")
