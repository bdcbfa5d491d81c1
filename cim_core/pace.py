"""How long work still takes, by how long it has taken so far."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

_EVIDENCE_SECONDS = 2.0
"""Before a stage has gone on for so long, its own pace says nothing."""

_EVIDENCE_SHARE = 0.25
"""Before so much of the work was seen, it says nothing of a stage that has no pace of its own."""

_RECENT = 0.5
"""The part of a stage, counted back from now, whose pace is taken for that of its rest."""

_SAMPLE_SECONDS = 0.25


class Pace:
    """Estimates the time left, from reports as `Progress` gives them.

    The stage under way goes on at its recent pace; the stages after it take what stages of their
    weight took in this run. So nothing is foretold before something was seen.

    >>> now = 0.0
    >>> pace = Pace({"geometry": 3.0, "tiling": 1.0}, lambda: now)
    >>> pace.note(0, 60, "geometry")
    >>> pace.remaining() is None
    True
    >>> now = 10.0
    >>> pace.note(20, 60, "geometry")
    >>> pace.remaining()
    30.0
    """

    def __init__(
        self, weights: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`weights`: the usual shares of the stages, in the order in which they come."""
        self._weights = dict(weights)
        self._order = {stage: number for number, stage in enumerate(weights)}
        self._clock = clock
        self._lock = threading.Lock()
        self._stage = ""
        self._took: dict[str, float] = {}
        self._begun = clock()
        self._total = 0
        self._samples: deque[tuple[float, int]] = deque()  # when, done

    def note(self, done: int, total: int, stage: str) -> None:
        """Say that `done` of `total` steps of a stage are behind us; a total of 0 is not known."""
        with self._lock:
            now = self._clock()
            if stage != self._stage:
                self._took[self._stage] = self._took.get(self._stage, 0.0) + now - self._begun
                self._stage, self._begun = stage, now
                self._samples.clear()
            self._total = total
            samples = self._samples
            if len(samples) > 1 and samples[-1][0] - samples[-2][0] < _SAMPLE_SECONDS:
                samples.pop()
            samples.append((now, done))
            recent = now - _RECENT * (now - self._begun)
            while len(samples) > 1 and samples[1][0] <= recent:
                samples.popleft()

    def remaining(self) -> float | None:
        """Seconds until the last stage ends, None while there is nothing to go by."""
        with self._lock:
            now = self._clock()
            elapsed = now - self._begun
            left = self._left_of_stage(now, elapsed)
            known = {stage: took for stage, took in self._took.items() if stage in self._weights}
            weight = self._weights.get(self._stage)
            if left is not None and weight is not None:
                known[self._stage] = elapsed + left
            seconds = sum(known.values())
            weights = sum(self._weights[stage] for stage in known)
            if seconds < _EVIDENCE_SECONDS:
                return None
            scale = seconds / weights
            if left is None and weights < _EVIDENCE_SHARE * sum(self._weights.values()):
                return None
            if left is None:
                left = -1.0 if weight is None else scale * weight - elapsed
                if left < 0:  # it takes longer than foretold, nobody knows how much
                    return None
            return left + scale * self._weight_of_rest()

    def _left_of_stage(self, now: float, elapsed: float) -> float | None:
        if not self._samples or self._total <= 0 or elapsed < _EVIDENCE_SECONDS:
            return None
        since, before = self._samples[0]
        done = self._samples[-1][1]
        if done >= self._total:
            return 0.0
        if done <= before:
            return None
        return (self._total - done) * (now - since) / (done - before)

    def _weight_of_rest(self) -> float:
        """The weights of the stages after the last that has begun."""
        begun = [self._order[s] for s in (*self._took, self._stage) if s in self._order]
        return sum(list(self._weights.values())[max(begun, default=-1) + 1 :])
