"""The rest of long lists: issues with more labels, assignees or history than one page holds."""

from typing import Any

from orchestration.domains.tickets.sources.github.errors import GitHubError, PageTooLargeError
from orchestration.domains.tickets.sources.github.pages import Page, open_lists, page_of
from orchestration.domains.tickets.sources.github.queries import lists_query, query_hash
from orchestration.domains.tickets.sources.github.state import Run
from orchestration.domains.tickets.sources.github.wire.transport import Answer, Transport

# So many lists in one request: one point, whatever their number up to a hundred.
BATCH = 50


def finish_lists(transport: Transport, run: Run) -> None:
    """Ask for the next page of up to `BATCH` lists; a page file holds it with the issues it continues."""
    wanted = [
        (identifier, name, cursor)
        for identifier, node in run.pending.items()
        for name, cursor in open_lists(node)
    ]
    size, shrinks = BATCH, 0
    while True:
        batch = wanted[:size]
        lists = [[identifier, name] for identifier, name, _ in batch]
        base = [run.pending[identifier] for identifier in dict.fromkeys(one[0] for one in batch)]
        query = lists_query([name for _, name in lists])
        variables = {f"i{index}": identifier for index, (identifier, _, _) in enumerate(batch)}
        variables |= {f"a{index}": cursor for index, (_, _, cursor) in enumerate(batch)}
        request = {"query": query_hash(query), "variables": variables, "lists": lists}
        try:
            answer = transport.graphql(query, variables, is_shrinkable=True, attempt=min(shrinks, 3))
        except PageTooLargeError as error:
            if len(batch) > 1:
                size, shrinks = len(batch) // 2, shrinks + 1
                continue
            run.add(_given_up(run, request, base, transport, str(error)))
            return
        _guard(answer, batch)
        note = {"dead_letters": _dead_letters(answer, lists, run)}
        run.add(page_of("lists", request, run.facts, answer, base=base, note=note))
        return


def _guard(answer: Answer, batch: list[tuple[str, str, str]]) -> None:
    data = answer.document.get("data") if isinstance(answer.document, dict) else None
    if not isinstance(data, dict):
        raise GitHubError("GitHub: schema error: the answer holds no lists")
    for index, (_, name, cursor) in enumerate(batch):
        added = (data.get(f"n{index}") or {}).get(name)
        if not added or not added["pageInfo"]["hasNextPage"]:
            continue
        if not added["nodes"] or added["pageInfo"]["endCursor"] == cursor:
            raise GitHubError(f"GitHub: the list {name} of an issue goes in circles")


def _dead_letters(answer: Answer, lists: list[list[str]], run: Run) -> list[dict[str, Any]]:
    """Issues whose lists are refused; one that is not there any more is nobody's loss."""
    letters = []
    for problem in answer.problems:
        index = int(str(problem.path[0])[1:])
        is_gone = problem.reason.startswith("NOT_FOUND") and len(problem.path) == 1
        if not is_gone:
            identifier = lists[index][0]
            number = run.pending[identifier]["number"]
            letters.append({"node": identifier, "number": number, "reason": problem.reason})
    return letters


def _given_up(
    run: Run, request: dict[str, Any], base: list[dict[str, Any]], transport: Transport, reason: str
) -> Page:
    letters = [{"node": node["id"], "number": node["number"], "reason": reason} for node in base]
    return Page(
        "probe",
        request,
        run.facts,
        body="",
        status=0,
        fetched_at=transport.clock.now().isoformat(),
        base=base,
        note={"dead_letters": letters},
    )
