"""The fake's objects as the REST API writes them; no route and no paging here."""

from typing import Any
from urllib.parse import quote

from tests.fake_github.state import Actor, Comment, Event, Issue, Label, Repository, node_id

# Addresses that GitHub lists in each body and that a collector never follows.
_REPOSITORY_LINKS = (
    *("archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare"),
    *("contents", "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs"),
    *("git_tags", "hooks", "issue_comment", "issue_events", "issues", "keys", "labels", "languages"),
    *("merges", "milestones", "notifications", "pulls", "releases", "stargazers", "statuses"),
    *("subscribers", "subscription", "tags", "teams", "trees"),
)
_USER_LINKS = (
    *("events", "followers", "following", "gists", "organizations", "received_events", "repos", "starred"),
    "subscriptions",
)


def user_body(base: str, actor: Actor | None) -> dict[str, Any] | None:
    """A simple user; null for an account that no longer exists."""
    if actor is None:
        return None
    # A bot's name has a suffix here that GraphQL leaves out.
    login = f"{actor.login}[bot]" if actor.kind == "Bot" else actor.login
    url = f"{base}/users/{quote(login)}"
    return {
        "login": login,
        "id": actor.id,
        "node_id": actor.node_id,
        "avatar_url": f"{base}/avatars/{actor.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{base}/{actor.login}",
        **{f"{name}_url": f"{url}/{name}" for name in _USER_LINKS},
        "type": actor.kind,
        "site_admin": False,
    }


def label_body(base: str, label: Label) -> dict[str, Any]:
    """A label."""
    return {
        "id": label.id,
        "node_id": node_id("LA", label.id),
        "url": f"{base}/labels/{label.id}",
        "name": label.name,
        "description": label.description,
        "color": label.color,
        "default": False,
    }


def repository_body(base: str, repository: Repository) -> dict[str, Any]:
    """A full repository."""
    url = f"{base}/repos/{repository.full_name}"
    page = f"{base}/{repository.full_name}"
    open_issues = sum(issue.state == "open" for issue in repository.issues.values())
    return {
        "id": repository.id,
        "node_id": node_id("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "owner": user_body(base, repository.owner),
        "private": repository.is_private,
        "html_url": page,
        "description": None,
        "fork": False,
        "url": url,
        **{f"{name}_url": f"{url}/{name}" for name in _REPOSITORY_LINKS},
        "clone_url": f"{page}.git",
        "git_url": f"{page}.git",
        "ssh_url": f"{page}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "default_branch": "main",
        "visibility": "private" if repository.is_private else "public",
        "archived": repository.is_archived,
        "disabled": False,
        "has_issues": repository.has_issues,
        "has_projects": True,
        "has_wiki": True,
        "has_pages": False,
        "has_discussions": False,
        "open_issues": open_issues,
        "open_issues_count": open_issues,
        **dict.fromkeys(("forks", "forks_count", "network_count", "size", "stargazers_count"), 0),
        **dict.fromkeys(("subscribers_count", "watchers", "watchers_count"), 0),
        "created_at": repository.created_at,
        "updated_at": repository.created_at,
        "pushed_at": repository.created_at,
    }


def issue_body(base: str, repository: Repository, issue: Issue) -> dict[str, Any]:
    """An issue, or a pull request in the clothes of one, as in the list and on its own."""
    url = f"{base}/repos/{repository.full_name}/issues/{issue.number}"
    kind = "pull" if issue.is_pull_request else "issues"
    page = f"{base}/{repository.full_name}/{kind}/{issue.number}"
    body = {
        "url": url,
        "repository_url": f"{base}/repos/{repository.full_name}",
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page,
        "id": issue.id,
        "node_id": issue.node_id,
        "number": issue.number,
        "title": issue.title,
        "user": user_body(base, issue.author),
        "labels": [label_body(base, label) for label in issue.labels],
        "state": issue.state,
        "state_reason": issue.state_reason,
        "locked": issue.locked,
        "active_lock_reason": None,
        "assignee": user_body(base, issue.assignees[0] if issue.assignees else None),
        "assignees": [user_body(base, who) for who in issue.assignees],
        "milestone": _milestone_body(base, repository, issue),
        "comments": len(issue.comments),
        "created_at": issue.created_at,
        "updated_at": issue.updated_at,
        "closed_at": issue.closed_at,
        "closed_by": user_body(base, issue.closed_by),
        "author_association": issue.author_association,
        "body": issue.body,
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
    }
    if issue.is_pull_request:
        pull = f"{base}/repos/{repository.full_name}/pulls/{issue.number}"
        body["pull_request"] = {
            "url": pull,
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": None,
        }
    return body


def event_body(base: str, repository: Repository, event: Event) -> dict[str, Any]:
    """One event of an issue."""
    body = {
        "id": event.id,
        "node_id": node_id("EV", event.id),
        "url": f"{base}/repos/{repository.full_name}/issues/events/{event.id}",
        "actor": user_body(base, event.actor),
        "event": event.kind,
        "commit_id": None,
        "commit_url": None,
        "created_at": event.created_at,
        "performed_via_github_app": None,
    }
    if event.kind in ("assigned", "unassigned"):
        body["assignee"], body["assigner"] = user_body(base, event.assignee), user_body(base, event.actor)
    if event.label is not None:
        body["label"] = {"name": event.label.name, "color": event.label.color}
    if event.kind in ("closed", "reopened"):
        body["state_reason"] = event.state_reason
    return body


def comment_body(base: str, repository: Repository, issue: Issue, comment: Comment) -> dict[str, Any]:
    """One comment."""
    url = f"{base}/repos/{repository.full_name}/issues/comments/{comment.id}"
    return {
        "id": comment.id,
        "node_id": node_id("IC", comment.id),
        "url": url,
        "html_url": f"{base}/{repository.full_name}/issues/{issue.number}#issuecomment-{comment.id}",
        "issue_url": f"{base}/repos/{repository.full_name}/issues/{issue.number}",
        "user": user_body(base, comment.author),
        "author_association": comment.author_association,
        "body": comment.body,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "performed_via_github_app": None,
    }


def _milestone_body(base: str, repository: Repository, issue: Issue) -> dict[str, Any] | None:
    if issue.milestone is None:
        return None
    url = f"{base}/repos/{repository.full_name}/milestones/1"
    return {
        "url": url,
        "html_url": f"{base}/{repository.full_name}/milestone/1",
        "labels_url": f"{url}/labels",
        "id": 1,
        "node_id": node_id("MI", issue.milestone),
        "number": 1,
        "state": "open",
        "title": issue.milestone,
        "description": None,
        "creator": user_body(base, repository.owner),
        "open_issues": 0,
        "closed_issues": 0,
        "created_at": repository.created_at,
        "updated_at": repository.created_at,
        "closed_at": None,
        "due_on": None,
    }
