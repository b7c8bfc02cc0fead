"""How often one address or one key may ask, kept in memory: there is one app process."""

import time
from collections import deque
from threading import Lock

WINDOW_S = 60.0
_MOST_KEYS = 10_000
"""Beyond this, who has been quiet for a window is forgotten."""


class RateLimit:
    """At most `most` acts per key within the last `WINDOW_S` seconds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._acts: dict[str, deque[float]] = {}
        self._lock = Lock()

    def allows(self, key: str) -> bool:
        """Whether one more act is possible now; counts it where it is."""
        moment = time.monotonic()
        with self._lock:
            if len(self._acts) >= _MOST_KEYS:
                self._forget(moment)
            acts = self._acts.setdefault(key, deque())
            while acts and acts[0] <= moment - WINDOW_S:
                acts.popleft()
            if len(acts) >= self._most:
                return False
            acts.append(moment)
            return True

    def _forget(self, moment: float) -> None:
        quiet = [key for key, acts in self._acts.items()
                 if not acts or acts[-1] <= moment - WINDOW_S]  # fmt: skip
        for key in quiet:
            del self._acts[key]
