"""Where a request is really sent to: an address as it will be used, not as it looks. Nothing is sent here."""

from typing import NamedTuple
from urllib.parse import urljoin

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from orchestration.domains.tickets.sources.github.errors import GitHubError

_PORTS = {"https": 443, "http": 80}


class Origin(NamedTuple):
    """The server that a request goes to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def origin_of(url: str) -> Origin:
    """The server that a request to `url` would go to, told by the library that sends it.

    Parsers disagree about odd addresses (`http://a:1\\\\@b:2/`), so none of those is used at all.

    Raises
    ------
    GitHubError
        If the address is none that can be asked without doubt; the sentence does not repeat it.
    """
    if "\\" in url or " " in url or not url.isprintable():
        raise GitHubError("GitHub gave an address with a character that none has: refused.")
    try:
        parts = parse_url(requests.Request("GET", url).prepare().url or "")
    except (requests.RequestException, HTTPError, ValueError):
        raise GitHubError("GitHub gave an address that is none (a bad port or host): refused.") from None
    if parts.auth is not None:
        raise GitHubError("GitHub gave an address with a user in it: refused.")
    scheme, host = parts.scheme or "", parts.host or ""
    if scheme not in _PORTS or not host:
        raise GitHubError(
            f"GitHub gave an address that is none of the web ({scheme or 'no scheme'}): refused."
        )
    return Origin(scheme, host, parts.port if parts.port is not None else _PORTS[scheme])


def joined(base: str, target: str) -> str:
    """The address that `target`, as an answer of `base` gave it, means.

    Raises
    ------
    GitHubError
        If it means none.
    """
    try:
        return urljoin(base, target)
    except ValueError:
        raise GitHubError("GitHub gave an address that is none (a bad port or host): refused.") from None
