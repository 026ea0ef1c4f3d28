"""The published tables of who should have a ticket."""

from orchestration.tables.table import REASONS, TICKET, Table

ASSIGNEE_CANDIDATES = Table(
    "tickets.assignee_candidates",
    "Who is most likely to take an open ticket. Grain: one row per ticket and person.",
    {
        **TICKET,
        "login": ("varchar", "The person."),
        "rank": ("bigint", "Place in the ticket's list, 1 first."),
        "probability": (
            "double",
            "Probability that this person takes the ticket; of all who could they add up to less than 1.",
        ),
        "is_confident": (
            "boolean",
            "Whether the person is proposed: the first of the list, and likely enough to be right in 75 % of "
            "such cases of the repository; below that nobody is.",
        ),
        "current_load": (
            "bigint",
            "Open tickets of the repository that its records say the person has, as of the download.",
        ),
        "why": ("varchar", "The strongest reasons for the person, in words."),
        "reasons": REASONS,
        "observed_at": ("timestamp", "When the question is asked: what was known by then is used (UTC)."),
        "model_version": ("varchar", "Version of the model."),
    },
)
