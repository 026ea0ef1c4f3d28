"""Why fetching stops. Every message is a sentence for the user and never holds a token."""

from datetime import datetime

from orchestration.store.landing import SourceError


class GitHubError(SourceError):
    """Nothing more can be had for this repository; what has landed stays, and the next run goes on there."""


class TokensRefusedError(GitHubError):
    """No token is left that GitHub accepts: no repository can be read."""


class OutOfTimeError(GitHubError):
    """The run would have to wait for longer than it may."""

    def __init__(self, reason: str, resume_at: datetime) -> None:
        super().__init__(
            f"Stopped as planned ({reason}): run again after {resume_at:%Y-%m-%d %H:%M:%S} UTC;"
            " it goes on where it stopped."
        )
        self.resume_at = resume_at


class PageTooLargeError(GitHubError):
    """GitHub could not answer a request of this size; a smaller one may succeed."""
