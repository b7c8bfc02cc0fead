"""The connection to one MLflow server, and the translation of its errors into ours."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests

from reallabor.errors import ReallaborError, TrackingRefused, TrackingUnavailable
from reallabor.settings import Settings, get_settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

_CLOSED_NETWORK = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_RETRIES = 4
_RETRIED_STATUS = frozenset({408, 429, 500, 502, 503, 504})


def keep_to_ourselves() -> None:
    """Set what keeps mlflow from speaking to the internet; to be called before it is imported."""
    for name, value in _CLOSED_NETWORK.items():
        os.environ.setdefault(name, value)


def pages(fetch: Callable[[str | None], Any]) -> Iterator[Any]:
    """All entries of a paged search; `fetch` takes the token of a page and gives the page."""
    token: str | None = None
    while True:
        page = fetch(token)
        yield from page
        token = page.token
        if not token:
            return


class Connection:
    """One MLflow server; cheap to make, imports mlflow only when it is needed."""

    def __init__(self, address: str, *, token: str = "", timeout_s: float = 30.0) -> None:
        self.address = address.rstrip("/")
        self.timeout_s = timeout_s
        self._token = token

    @classmethod
    def from_settings(cls, settings: Settings | None = None) -> "Connection":
        settings = settings or get_settings()
        return cls(
            settings.tracking_address,
            token=settings.tracking_token.get_secret_value(),
            timeout_s=settings.tracking_timeout_s,
        )

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's own client on this server."""
        keep_to_ourselves()
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(max(1, round(self.timeout_s)))
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", str(_RETRIES))
        if self._token:
            os.environ["MLFLOW_TRACKING_TOKEN"] = self._token
        from mlflow import MlflowClient

        return MlflowClient(self.address)

    @cached_property
    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        if self._token:
            session.headers["Authorization"] = f"Bearer {self._token}"
        return session

    def answers(self, wait_s: float = 2.0) -> bool:
        """Whether an MLflow server answers at this address within the wait."""
        try:
            reply = self._session.get(f"{self.address}/health", timeout=wait_s)
        except requests.RequestException:
            return False
        return reply.status_code == 200 and reply.text.strip() == "OK"

    def require(self) -> None:
        """Refuse at once, and in a sentence, where nobody answers."""
        if not self.answers() and not self.answers(wait_s=min(10.0, self.timeout_s)):
            raise self.unavailable("keine Antwort")

    def unavailable(self, reason: str) -> TrackingUnavailable:
        return TrackingUnavailable(
            f"MLflow unter {self.address} ist nicht erreichbar ({reason}). Bitte prüfen, ob der "
            "Dienst läuft (`reallabor up`) und ob REALLABOR_TRACKING_URI stimmt."
        )

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> requests.Response:
        """POST with retries on outages; what is sent must be idempotent."""
        reason = ""
        for attempt in range(_RETRIES + 1):
            if attempt:
                time.sleep(min(2.0**attempt / 2, 8.0))
            try:
                reply = self._session.post(
                    f"{self.address}{path}", data=body, headers=headers, timeout=self.timeout_s
                )
            except requests.RequestException as error:
                reason = type(error).__name__
                continue
            if reply.status_code in _RETRIED_STATUS:
                reason = f"Status {reply.status_code}"
                continue
            if reply.status_code >= 400:
                raise TrackingRefused(
                    f"MLflow unter {self.address} hat die Ausgaben abgelehnt "
                    f"(Status {reply.status_code}: {reply.text[:200]})."
                )
            return reply
        raise self.unavailable(reason)

    @contextmanager
    def translated(self) -> Iterator["MlflowClient"]:
        """The client; its exceptions leave as TrackingUnavailable or TrackingRefused."""
        client = self.client
        from mlflow.exceptions import MlflowException

        try:
            yield client
        except ReallaborError:
            raise
        except requests.RequestException as error:
            status = error.response.status_code if error.response is not None else 503
            if status < 500 and status not in _RETRIED_STATUS:
                raise TrackingRefused(
                    f"MLflow unter {self.address} hat die Anfrage abgelehnt (Status {status})."
                ) from error
            raise self.unavailable(type(error).__name__) from error
        except MlflowException as error:
            status = error.get_http_status_code()
            # The client reports an outage as an exception without a server's answer behind it.
            if status >= 500 or "API request to" in str(error):
                raise self.unavailable(_short(error)) from error
            raise TrackingRefused(
                f"MLflow unter {self.address} hat die Anfrage abgelehnt ({_short(error)})."
            ) from error


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
