"""One HTTP exchange with an end: a request cannot last longer than it may. No policy here."""

import socket
import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_CONNECT_SECONDS = 10.0


class ExchangeError(Exception):
    """No whole answer came; the message says why, and holds neither address nor token."""


class _Socket:
    """The socket in use, so that another thread can end what waits on it."""

    current: socket.socket | None = None

    def end(self) -> None:
        if self.current is not None:
            try:
                self.current.shutdown(socket.SHUT_RDWR)
            except OSError:
                # It ended by itself in the meantime.
                return


class _Adapter(HTTPAdapter):
    """Remembers the socket of its connection. urllib3's own retries stay off."""

    def __init__(self, holder: _Socket) -> None:
        self._holder = holder
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools()

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = self._pools()
        return manager

    def _pools(self) -> dict[str, Any]:
        holder = self._holder

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                holder.current = self.sock

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                holder.current = self.sock

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        return {"http": PlainPool, "https": SecurePool}


class _Bearer(AuthBase):
    """Sets the header itself: without an `auth`, requests would take what a .netrc file says."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Session(requests.Session):
    """Never parses where a redirect leads: requests does even when it may not follow, and odd ones raise."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Connection:
    """One serial connection.

    Parameters
    ----------
    deadline_seconds : float
        The longest that one request may take, its answer's last byte included: a time-out between two bytes
        never ends an answer that comes one byte a second.
    """

    def __init__(self, deadline_seconds: float = 120.0) -> None:
        self._deadline_seconds = deadline_seconds
        self._socket = _Socket()
        self._session = _Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(self._socket))

    def exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, token: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and read its whole answer: status, headers (small letters) and body.

        Raises
        ------
        ExchangeError
            If no whole answer came in time.
        """
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            self._socket.end()

        watch = threading.Timer(self._deadline_seconds, expire)
        watch.daemon = True
        watch.start()
        try:
            answer = self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                auth=_Bearer(token),
                # Redirects are followed by hand, where the token cannot go astray.
                allow_redirects=False,
                timeout=(min(_CONNECT_SECONDS, self._deadline_seconds), self._deadline_seconds),
            )
        except (requests.RequestException, OSError) as error:
            reason = "no answer in time" if expired.is_set() else type(error).__name__
            raise ExchangeError(reason) from None
        finally:
            watch.cancel()
        if expired.is_set():
            # An answer without a length ends with its connection, and looks whole when we ended it.
            raise ExchangeError("no answer in time")
        return (
            answer.status_code,
            {name.lower(): value for name, value in answer.headers.items()},
            answer.content,
        )

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()
