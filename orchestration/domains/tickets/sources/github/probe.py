"""What became of one issue: REST says why it is gone."""

import re
from dataclasses import dataclass

from orchestration.domains.tickets.sources.github.errors import GitHubError
from orchestration.domains.tickets.sources.github.wire.transport import Answer, Transport

_REDIRECTS = (301, 302, 307, 308)
_REASONS = {410: "deleted", 404: "gone", 451: "blocked", **dict.fromkeys(_REDIRECTS, "transferred")}


@dataclass(frozen=True)
class Identity:
    """A repository: `id` is the key, `name` (owner/name) an attribute that can change."""

    id: int
    name: str


def ask_for_issue(transport: Transport, repository: Identity, number: int) -> tuple[Answer, str | None]:
    """Ask for an issue: the answer, and why it is gone if it is.

    A redirect within the repository (it was renamed a moment ago) is followed; one that leads out of it says
    that the issue was transferred, and is not.
    """
    address = f"/repos/{repository.name}/issues/{number}"
    answer = transport.get(address, is_followed=False, final=_REASONS)
    if answer.status in _REDIRECTS:
        transport.check_origin(answer.headers.get("location", ""))
        target = re.search(r"/repositories/(\d+)/issues/\d+$", answer.headers.get("location", ""))
        if target and int(target[1]) == repository.id:
            answer = transport.get(answer.headers["location"], is_followed=False, final=_REASONS)
    if answer.status == 410 and b"disabled" in answer.body:
        return answer, "disabled"
    if answer.status in _REASONS:
        return answer, _REASONS[answer.status]
    if not isinstance(answer.document, dict) or answer.document.get("number") != number:
        raise GitHubError(f"GitHub: schema error: no issue under {address}")
    return answer, None


def tombstone(number: int, reason: str, answer: Answer) -> dict[str, dict[str, str]]:
    """The note that a page file keeps of an issue that is gone."""
    return {str(number): {"reason": reason, "seen_at": answer.server_now.isoformat()}}
