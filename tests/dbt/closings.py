"""Closings made by hand, each with what it was and why: no code decided these.

Times are in hours from the closing, days apart from each other. The author of every issue is ada.
"""

from dataclasses import dataclass, field

Comment = tuple[float, str | None, str]  # hours from the closing, login, text
Event = tuple[float, str, str | None, str | None]  # hours from the closing, kind, login, label


@dataclass(frozen=True)
class Closing:
    kind: str
    why: str
    closer: str | None = None
    reason: str | None = None
    labels: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    events: tuple[Event, ...] = ()
    commit: bool = False
    pull_request: bool = False  # one that names the issue was closed with it
    extra: dict[str, str] = field(default_factory=dict)


NOTICE = (
    "This issue has been automatically marked as stale because it has not had recent activity. "
    "It will be closed if no further activity occurs. If this has been fixed in a later release, say so."
)
BOT = "stale[bot]"

CLOSINGS = (
    # completed
    Closing("completed", "the maintainer says so to GitHub", "eve", "completed"),
    Closing("completed", "a commit closed it", "eve", commit=True),
    Closing("completed", "a commit closed it, though ada merged it herself", "ada", "completed", commit=True),
    Closing("completed", "a pull request that names it was merged with it", "eve", pull_request=True),
    Closing("completed", "a program that merges closed it", "bors", "completed"),
    Closing("completed", "a program that merges, in capitals", "Mergify", None),
    Closing(
        "completed",
        "the closing comment names the fix",
        "eve",
        None,
        comments=((0, "eve", "Fixed in 1.4.2."),),
    ),
    Closing("completed", "the same a minute before", "eve", None, comments=((-0.02, "eve", "Fixed by #12"),)),
    Closing("completed", "the closer is not told, the comment is", None, comments=((0, "eve", "Done."),)),
    Closing(
        "completed",
        "a sentence about the release",
        "eve",
        comments=((0, "eve", "This has been implemented."),),
    ),
    Closing("completed", "a label of the record", None, labels=("status: fixed",)),
    Closing(
        "completed",
        "stale once, but then a commit fixed it",
        "eve",
        commit=True,
        comments=((-200, BOT, NOTICE),),
    ),
    Closing(
        "completed",
        "somebody answered the notice, and it was done later",
        "eve",
        "completed",
        comments=((-300, BOT, NOTICE), (-290, "bob", "It still happens to me.")),
    ),
    Closing(
        "completed",
        "the stale label was taken off before",
        "eve",
        "completed",
        events=((-300, "labeled", BOT, "stale"), (-290, "unlabeled", BOT, "stale")),
    ),
    # not planned
    Closing("not_planned", "the maintainer says so to GitHub", "eve", "not_planned"),
    Closing("not_planned", "in capitals, as GraphQL writes it", "eve", "NOT_PLANNED"),
    Closing("not_planned", "the author says so", "ada", "not_planned"),
    Closing("not_planned", "label wontfix of the record", "eve", labels=("wontfix",)),
    Closing(
        "not_planned", "label won't fix with its event", "eve", events=((-1, "labeled", "eve", "won't fix"),)
    ),
    Closing("not_planned", "label invalid, in a namespace", "eve", "completed", labels=("closed: invalid",)),
    Closing(
        "not_planned", "works as intended", "eve", comments=((0, "eve", "This is working as intended."),)
    ),
    Closing(
        "not_planned",
        "out of scope",
        "eve",
        "completed",
        comments=((0, "eve", "Sorry, out of scope for us."),),
    ),
    Closing(
        "not_planned", "cannot be seen", "eve", comments=((0, "eve", "I can't reproduce this, closing."),)
    ),
    Closing("not_planned", "not a bug", None, comments=((0, "bob", "Not a bug: read the manual."),)),
    # duplicate
    Closing("duplicate", "GitHub's own reason", "eve", "duplicate"),
    Closing("duplicate", "GitHub's own reason, given by the author", "ada", "duplicate"),
    Closing("duplicate", "label duplicate of the record", "eve", "completed", labels=("duplicate",)),
    Closing("duplicate", "label in a namespace", None, labels=("R: dupe",)),
    Closing(
        "duplicate",
        "GitHub's event",
        "eve",
        "completed",
        events=((-0.1, "marked_as_duplicate", "eve", None),),
    ),
    Closing("duplicate", "the comment names the other", "eve", comments=((0, "eve", "Duplicate of #4"),)),
    Closing("duplicate", "in few letters", "eve", comments=((0, "eve", "dup of owner/other#7"),)),
    Closing(
        "duplicate", "closed as one", "eve", "completed", comments=((0, "eve", "Closing as a duplicate."),)
    ),
    Closing("duplicate", "in favour of another", "eve", comments=((0, "eve", "Closing in favor of #31"),)),
    Closing("duplicate", "a program closed it as one", "triage[bot]", "duplicate"),
    # stale
    Closing("stale", "a program closed it", BOT, "not_planned"),
    Closing("stale", "a program closed it and called it completed", BOT, "completed"),
    Closing("stale", "a program from the list", "msftbot"),
    Closing("stale", "an account of the type", "janitor", extra={"type": "Bot"}),
    Closing("stale", "the notice, then a person closes", "eve", "completed", comments=((-300, BOT, NOTICE),)),
    Closing("stale", "the label, then a person closes", "eve", events=((-300, "labeled", BOT, "stale"),)),
    Closing(
        "stale", "the label under another name", "eve", events=((-9, "labeled", "eve", "lifecycle/rotten"),)
    ),
    Closing("stale", "the label of the record", "eve", "completed", labels=("no-recent-activity",)),
    Closing(
        "stale", "a person says so", "eve", "completed", comments=((0, "eve", "Closing due to inactivity."),)
    ),
    Closing(
        "stale", "nobody answered", "eve", comments=((0, "eve", "No response from the reporter, closing."),)
    ),
    Closing(
        "stale",
        "a person had warned",
        "eve",
        comments=((-90, "eve", "No reply for a year. I will close it soon."),),
    ),
    Closing("stale", "the label wontfix of the program", BOT, None, labels=("wontfix",)),
    # by its author
    Closing("by_author", "ada closes what she opened", "ada"),
    Closing("by_author", "with GitHub's default reason", "ada", "completed"),
    Closing("by_author", "with a word of thanks", "ada", comments=((0, "ada", "Never mind, thank you!"),)),
    Closing("by_author", "the same login in capitals", "Ada", "completed"),
    # moved
    Closing("moved", "GitHub's event", "eve", events=((0, "transferred", "eve", None),)),
    Closing("moved", "to another repository", "eve", comments=((0, "eve", "Moved to owner/other#8."),)),
    Closing(
        "moved", "to an address", "eve", "completed", comments=((0, "eve", "Moved to https://example.org/1"),)
    ),
    Closing("moved", "to the discussions", "eve", comments=((0, "eve", "Moving this to discussions."),)),
    Closing("moved", "label of the record", "eve", labels=("transferred",)),
    # unknown
    Closing("unknown", "nothing is told", None),
    Closing("unknown", "a person closed it without a word", "eve"),
    Closing("unknown", "the account of the closer is gone", "ghost"),
    Closing("unknown", "a name that ends in bot is a person's", "jtalbot"),
    Closing(
        "unknown",
        "the text is about something else",
        None,
        comments=((-50, "bob", "Stale caches are fixed"),),
    ),
)
