"""One issue by REST: the fallback for an issue that no page of any size brings."""

from typing import Any

from requests.utils import parse_header_links

from orchestration.domains.tickets.sources.github.errors import GitHubError
from orchestration.domains.tickets.sources.github.pages import Page, page_of
from orchestration.domains.tickets.sources.github.probe import Identity, ask_for_issue, tombstone
from orchestration.domains.tickets.sources.github.wire.transport import Answer, Transport


def fetch_issue(
    transport: Transport, repository: Identity, number: int, facts: dict[str, Any], note: dict[str, Any]
) -> Page:
    """Fetch an issue with its events and comments.

    Returns
    -------
    Page
        Of kind `issue`; of kind `probe`, with a tombstone or a dead letter, when it is not to be had.
    """
    address = f"/repos/{repository.name}/issues/{number}"
    request = {"url": address}
    note = {**note, "number": number}
    try:
        answer, reason = ask_for_issue(transport, repository, number)
        if reason:
            note["tombstones"] = tombstone(number, reason, answer)
            return page_of("probe", request, facts, answer, note=note)
        if answer.document.get("pull_request"):
            return page_of("probe", request, facts, answer, note=note)
        more = {name: fetch_list(transport, f"{address}/{name}") for name in ("events", "comments")}
    except GitHubError as error:
        # Whatever the reason: this issue must not keep the others from landing.
        if not concerns_one_request(error):
            raise
        letter = {"node": number, "number": number, "reason": str(error)}
        return Page(
            "probe",
            request,
            facts,
            body="",
            status=0,
            fetched_at=transport.clock.now().isoformat(),
            note={**note, "dead_letters": [letter]},
        )
    return page_of("issue", request, facts, answer, more=more, note=note)


def concerns_one_request(error: GitHubError) -> bool:
    """Whether others may still succeed: not without tokens or time."""
    return type(error) is GitHubError


def fetch_list(transport: Transport, address: str) -> list[str]:
    """Fetch a list of the REST API, page by page, as the Link headers lead: the bodies.

    Raises
    ------
    GitHubError
        If a page is no list, or the pages go in circles.
    """
    bodies: list[str] = []
    seen = set()
    url: str | None = f"{address}?per_page=100"
    while url:
        answer = transport.get(url)
        if answer.document is None:
            break
        if not isinstance(answer.document, list):
            raise GitHubError(f"GitHub: schema error: {address} gave no list")
        seen.add(answer.url)
        bodies.append(answer.body.decode(errors="replace"))
        url = next_page(answer)
        if url in seen:
            raise GitHubError(f"GitHub: the pages of {address} go in circles")
    return bodies


def next_page(answer: Answer) -> str | None:
    """The address of the next page, verbatim: page numbers stop at large lists."""
    links = parse_header_links(answer.headers.get("link", ""))
    return next((link["url"] for link in links if link.get("rel") == "next"), None)
