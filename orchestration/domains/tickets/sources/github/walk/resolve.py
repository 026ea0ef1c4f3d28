"""A repository's numeric id and present name, from REST: names change, ids do not."""

import json
from pathlib import Path
from typing import Any

from orchestration.domains.tickets.sources.github.errors import GitHubError
from orchestration.domains.tickets.sources.github.pages import read_json, write_json
from orchestration.domains.tickets.sources.github.probe import Identity
from orchestration.domains.tickets.sources.github.state import REPOSITORY_FILE
from orchestration.domains.tickets.sources.github.wire.transport import Answer, Transport


def resolve(transport: Transport, name: str, folder: Path) -> tuple[Identity, Answer]:
    """Look a repository up by a name that it has or had.

    An answer that has not changed (304) is the one kept in `folder`/names.

    Raises
    ------
    GitHubError
        If there is no such repository, or it has no issues.
    """
    kept_file = folder / "names" / f"{name.replace('/', '__')}.json.gz"
    kept = read_json(kept_file) if kept_file.exists() else None
    headers = {"If-None-Match": kept["etag"]} if kept and kept["etag"] else {}
    answer = transport.get(f"/repos/{name}", headers=headers)
    if answer.skipped:
        raise GitHubError(
            f"GitHub: {name}: {answer.skipped}: check GITHUB_REPOS; a private repository needs a token that"
            " may read it."
        )
    if answer.status == 304:
        if kept is None:
            raise GitHubError(f"GitHub: {name}: not modified, but nothing was kept")
        return Identity(kept["id"], kept["name"]), answer
    identity = _identity(answer.document, name)
    write_json(kept_file, {"etag": answer.headers.get("etag"), "id": identity.id, "name": identity.name})
    return identity, answer


def _identity(document: Any, name: str) -> Identity:
    if not isinstance(document, dict):
        raise GitHubError(f"GitHub: schema error: no repository under /repos/{name}")
    identifier, full_name = document.get("id"), document.get("full_name")
    if not isinstance(identifier, int) or not isinstance(full_name, str) or full_name.count("/") != 1:
        raise GitHubError(f"GitHub: schema error: {name} has no id or no name")
    if document.get("has_issues") is False:
        raise GitHubError(f"GitHub: {name}: issues are disabled")
    return Identity(identifier, full_name)


def refuse_reused_name(folder: Path, identity: Identity) -> None:
    """Refuse a repository whose name belonged to another one: their issues would be mixed.

    Raises
    ------
    GitHubError
        If another repository landed under this name.
    """
    for path in folder.glob(f"*/{REPOSITORY_FILE}"):
        other = json.loads(path.read_text())
        if other["name"].lower() == identity.name.lower() and other["id"] != identity.id:
            raise GitHubError(
                f"GitHub: {identity.name} is another repository now (id {identity.id}, was {other['id']}):"
                " set WAREHOUSE_DIR to another folder for it."
            )
