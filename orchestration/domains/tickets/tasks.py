"""What is learned of tickets: hours, what remains, what is late, what comes first, who waits longest."""

from ml.models import names
from orchestration.declarations import Task, TrainingSet
from orchestration.facts import FACTS

TICKETS = TrainingSet(
    "tickets",
    "train_tickets",
    "label_tickets",
    "training_snapshot",
    {
        "timeline": "slice_repo",
        "weight_by": "slice_repo",
        "horizons_days": FACTS["horizons_days"],
        # What scorers and rankers are compared with: words of failure, and how fast the author's and the
        # repository's tickets were closed before.
        "baselines": {
            "words": ["n_keywords_failure", "n_keywords_security", "has_stack_trace"],
            "author": ["contributor_share_resolved_7d", "author_share_resolved_7d"],
            "repository": ["repository_share_resolved_7d"],
        },
        "outcome_slices": ["slice_completion_time"],
        "mix_slices": ["slice_repo", "slice_label"],
        # Labels, assignees and associations are as of the download, later than any prediction.
        "mitigated_slices": ["slice_seniority", "slice_repo", "slice_keyword"],
    },
)
# The same tickets, at their creation and as long as they are open.
REMAINING = TrainingSet(
    "remaining",
    "train_remaining",
    "label_remaining",
    "remaining_snapshot",
    {name: value for name, value in TICKETS.settings.items() if name != "baselines"},
)
# The tickets whose comments are known, and when a person other than the author first answered them.
RESPONSE = TrainingSet(
    "response",
    "train_response",
    "label_response",
    "response_snapshot",
    {
        **TICKETS.settings,
        "horizons_days": FACTS["response_horizons_days"],
        "baselines": {
            "repository": ["repository_share_answered_7d"],
            "author": ["author_share_answered_7d", "contributor_share_resolved_7d"],
        },
    },
)
HOURS = tuple(
    Task(
        name=family,
        learns_from=TICKETS,
        kind="duration",
        description="A ticket's hours from its creation to its resolution, and the chance of each horizon, "
        f"by the family {family}. `trained_models` compares it with the others.",
    )
    for family in names()
)
REMAINING_TIME = Task(
    name="remaining",
    learns_from=REMAINING,
    kind="remaining",
    description="How much longer an open ticket takes, given its age and what has happened in it: chances "
    "for any time ahead, and quantiles.",
    # A ticket that waits longer is never nearer to its closing for that.
    params={"falling": ["waiting_days", "days_since_comment", "days_since_answer", "days_since_event"]},
)
LATE_SCORER = Task(
    name="late_scorer",
    learns_from=TICKETS,
    kind="late",
    description="The chance that a ticket is late: not closed within the horizon. Every ticket that old has "
    "a label.",
    horizon_days=7,
    horizon="Late is what was not closed within so many days of creation.",
)
RESPONSES = tuple(
    Task(
        name=f"response_{days}d",
        learns_from=RESPONSE,
        kind="late",
        description="The chance that a ticket is not answered by a person other than its author within "
        f"{days} {'day' if days == 1 else 'days'} of its creation.",
        horizon_days=days,
    )
    for days in FACTS["response_horizons_days"]
)
TRIAGE_RANKER = Task(
    name="triage_ranker",
    learns_from=TICKETS,
    kind="ranker",
    description="The order of the tickets of a repository's week: those that prove urgent come first.",
    horizon_days=FACTS["triage_days"],
    # Words make many columns: few of them per tree.
    params={"n_estimators": 300, "subsample": 0.5, "colsample_bytree": 0.2},
)
TASKS = (*HOURS, REMAINING_TIME, LATE_SCORER, *RESPONSES, TRIAGE_RANKER)
