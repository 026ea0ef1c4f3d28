"""The routes of the REST API that a collector of issues uses."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.fake_github.clock import normalised
from tests.fake_github.messages import Answer, Request, refusal
from tests.fake_github.pages import BadCursorError, cut_page
from tests.fake_github.rest_bodies import comment_body, event_body, issue_body, repository_body
from tests.fake_github.state import Issue, Repository
from tests.fake_github.world import World

LARGE_DATASET = 10_000
_ROUTE = re.compile(
    r"/(?:repos/(?P<name>[^/]+/[^/]+)|repositories/(?P<id>\d+))"
    r"(?P<issues>/issues(?:/(?P<number>\d+)(?:/(?P<list>events|timeline|comments))?)?)?$"
)


@dataclass
class RestApi:
    """Answers of the REST API from the state of a world.

    Parameters
    ----------
    world : World
        The repositories.
    base : str
        Address of the server, which bodies and Link headers name.
    """

    world: World
    base: str

    def answer(self, request: Request) -> Answer:
        """The answer to a GET request; a stranger's path is not found."""
        route = _ROUTE.fullmatch(request.path)
        if route is None:
            return refusal(404, "Not Found")
        if route["id"]:
            repository = self.world.repositories.get(int(route["id"]))
        else:
            repository = self.world.find(route["name"])
        if repository is None:
            return refusal(404, "Not Found")
        if route["name"] and route["name"].lower() != repository.full_name.lower():
            return self._moved(repository, route["issues"] or "", request.query)
        if repository.blocked:
            return refusal(451, "Repository access blocked")
        if not route["issues"]:
            return Answer(200, repository_body(self.base, repository))
        if not repository.has_issues:
            return refusal(410, "Issues are disabled for this repo")
        if route["number"] is None:
            return self._list_issues(repository, request)
        return self._one_issue(repository, int(route["number"]), route["list"], request)

    def _moved(self, repository: Repository, rest: str, query: dict[str, str]) -> Answer:
        target = f"{self.base}/repositories/{repository.id}{rest}" + (f"?{urlencode(query)}" if query else "")
        answer = refusal(301, "Moved Permanently", Location=target)
        answer.body["url"] = target
        return answer

    def _one_issue(
        self, repository: Repository, number: int, sublist: str | None, request: Request
    ) -> Answer:
        trace = repository.missing.get(number)
        if trace is not None:
            if trace.moved_to is None:
                return refusal(410, "This issue was deleted")
            target, new_number = trace.moved_to
            return self._moved(self.world.repositories[target], f"/issues/{new_number}", request.query)
        issue = repository.issues.get(number)
        if issue is None:
            return refusal(404, "Not Found")
        if sublist is None:
            return Answer(200, issue_body(self.base, repository, issue))
        return self._sublist(repository, issue, sublist, request)

    def _list_issues(self, repository: Repository, request: Request) -> Answer:
        query = request.query
        order = "updated_at" if query.get("sort") == "updated" else "created_at"
        wanted, since = query.get("state", "open"), query.get("since")
        entries = sorted(
            (getattr(issue, order), issue.id, issue)
            for issue in repository.issues.values()
            if wanted in ("all", issue.state) and issue.updated_at >= (normalised(since) if since else "")
        )
        return self._paged(
            repository,
            "/issues",
            entries,
            lambda issue: issue_body(self.base, repository, issue),
            query,
            descending=query.get("direction", "desc") == "desc",
        )

    def _sublist(self, repository: Repository, issue: Issue, name: str, request: Request) -> Answer:
        def body(item: Any) -> dict[str, Any]:
            if item.kind == "commented":
                text = comment_body(self.base, repository, issue, item)
                return {**text, "event": "commented", "actor": text["user"]} if name == "timeline" else text
            return event_body(self.base, repository, item)

        items: list[Any] = [] if name == "comments" else list(issue.events)
        items += [] if name == "events" else issue.comments
        entries = sorted((item.created_at, item.id, item) for item in items)
        return self._paged(repository, f"/issues/{issue.number}/{name}", entries, body, request.query)

    def _paged(
        self,
        repository: Repository,
        path: str,
        entries: Sequence[tuple[Any, ...]],
        body: Callable[[Any], dict[str, Any]],
        query: dict[str, str],
        descending: bool = False,
    ) -> Answer:
        size = max(1, min(100, int(query.get("per_page", 30))))
        number = int(query.get("page", 1))
        if number * size > LARGE_DATASET and "after" not in query:
            return refusal(
                422,
                "Pagination with the page parameter is not supported for large datasets,"
                " please use cursor based pagination (after/before)",
            )
        try:
            if "after" in query:
                page = cut_page(entries, size, query["after"], descending=descending)
            else:
                page = cut_page(entries, size * number, descending=descending)
                page.nodes = page.nodes[size * (number - 1) :]
        except BadCursorError:
            return refusal(422, "Invalid cursor")
        headers = {}
        if page.has_next_page:
            # By number and cursor at once: whoever builds the address himself misses what follows.
            following = {**query, "after": page.end_cursor, "page": number + 1}
            target = f"{self.base}/repositories/{repository.id}{path}?{urlencode(following)}"
            headers["Link"] = f'<{target}>; rel="next"'
        return Answer(200, [body(node) for node in page.nodes], headers)
