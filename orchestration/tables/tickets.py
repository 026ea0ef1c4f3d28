"""The published tables of the tickets."""

from orchestration.facts import FACTS
from orchestration.tables.table import TICKET, Table, made_by_dbt

TICKET_PREDICTIONS = Table(
    "tickets.predictions",
    "The tickets that are open: how much longer they will take, how sure that is, and why. As of the end of "
    "the records of each repository. Grain: one row per ticket.",
    {
        **TICKET,
        "title": ("varchar", "Title of the ticket."),
        "url": ("varchar", "Its page on GitHub; null where it has none."),
        "author": ("varchar", "Login of who opened it; null where the record names nobody."),
        "labels": ("varchar[]", "Labels of the record, as of the download."),
        "created_at": ("timestamp", "When it was opened (UTC)."),
        "observed_at": (
            "timestamp",
            "The newest time in the repository's records, as of which all is said (UTC).",
        ),
        "age_days": ("double", "Age at that time (days)."),
        "is_answered": (
            "boolean",
            "Somebody else than the author, and no program, has commented; null where none are known.",
        ),
        "waiting_days": (
            "double",
            "How long the author has waited for an answer: since the creation, or since their last comment "
            "if it came after all answers (days); null where somebody else has the last word.",
        ),
        "remaining_hours": ("double", "Median of the hours that it will stay open from observed_at on."),
        "remaining_p10": ("double", "10th percentile of the remaining hours."),
        "remaining_p90": ("double", "90th percentile of the remaining hours."),
        "expected_closing_at": (
            "timestamp",
            "observed_at and the median of the remaining hours (UTC); null beyond 10 years.",
        ),
        "is_overdue": (
            "boolean",
            "It is older than what 90 % of tickets like it took, seen from the creation.",
        ),
        "late_probability": (
            "double",
            "Probability, seen from the creation, of not being closed within the days after which the late "
            "scorer calls a ticket late; null where it is older than that.",
        ),
        "triage_rank": (
            "bigint",
            "Place among the repository's open tickets by how urgent they look from the creation, 1 first.",
        ),
        "reasons": (
            "struct(effect varchar, reason varchar)[]",
            "What moves its chance to be closed in a week most, strongest first: in words, and whether it "
            "makes the closing come sooner or later.",
        ),
        "predicted_hours": (
            "double",
            "Predicted hours from creation to resolution, given its age; only where there is no model of the "
            "remaining time as seen from the creation, and maybe past.",
        ),
        "p10": ("double", "10th percentile of the predicted hours."),
        "p90": ("double", "90th percentile of the predicted hours."),
        **{
            f"p_within_{days}d": (
                "double",
                f"Probability of being closed within the {days} days after observed_at, given its age; only "
                "where there is no model of the remaining time within so many days of the creation, and null "
                "where it is older.",
            )
            for days in FACTS["horizons_days"]
        },
        "model_version": ("varchar", "Version of the model that gives the hours."),
        "scored_at": ("timestamp", "When the ticket was scored (UTC)."),
        "reason": ("varchar", "What a prediction is missing, and why; null where nothing is."),
    },
)
PREDICTION_HISTORY = Table(
    "tickets.prediction_history",
    "What was said of the open tickets on each day that they were scored: how it came to be, and whether it "
    "came true. When nothing has changed nothing is scored. Grain: one row per ticket and day.",
    {
        "said_on": ("date", "The day (UTC)."),
        **{
            name: TICKET_PREDICTIONS.columns[name]
            for name in (
                *TICKET,
                "observed_at",
                "age_days",
                "remaining_hours",
                "remaining_p10",
                "remaining_p90",
                "is_overdue",
                "late_probability",
                "triage_rank",
                *(f"p_within_{days}d" for days in FACTS["horizons_days"]),
                "model_version",
                "scored_at",
            )
        },
    },
)
REPOSITORIES = Table(
    "tickets.repositories",
    "Where the tickets come from. Grain: one row per repository.",
    {
        "repository": TICKET["repository"],
        "source": ("varchar", "sample, archive or github."),
        "is_synthetic": ("boolean", "Whether the issues were made up: the embedded sample."),
        "records": ("bigint", "Issues and pull requests that were loaded."),
        "fetched_at": ("timestamp", "When the newest record was landed (UTC)."),
        "observed_from": ("timestamp", "When the first of them was created (UTC)."),
        "observed_until": ("timestamp", "When something was last changed in one of them: the end (UTC)."),
    },
)
SIMILAR_TICKETS = Table(
    "tickets.similar",
    "What was like an open ticket: the most similar earlier ones of its repository, as known now. Grain: one "
    "row per ticket and earlier ticket.",
    {
        **TICKET,
        "rank": ("bigint", "Place in the ticket's list, 1 first."),
        "similar_item_id": ("varchar", "The earlier ticket as repository#number."),
        "score": (
            "double",
            "How alike the words are, newer ones a little before older ones: about 1 for the same text.",
        ),
        "title": ("varchar", "Title of the earlier ticket."),
        "url": ("varchar", "Its page; null where none is known, as for synthetic tickets."),
        "state": ("varchar", "open or closed."),
        "resolution_kind": ("varchar", "What its last closing was; null while it is open."),
        "resolution_hours": ("double", "Hours that it took to be resolved; null where it was not."),
    },
)
RESPONSE_GAPS = Table(
    "tickets.response_gaps",
    "Whether newcomers wait longer for an answer than regulars. Grain: one row per repository and horizon.",
    {
        "repository": ("varchar", "Repository as 'owner/name'; (all) for all together."),
        "horizon_days": (
            "bigint",
            "Days after the creation at which it is asked whether there was an answer.",
        ),
        "n_newcomers": ("bigint", "Tickets of authors with few acts in the repository before (junior)."),
        "n_regulars": ("bigint", "Tickets of authors with more (mid, senior)."),
        "share_waiting_newcomers": (
            "double",
            "Share of the newcomers' tickets not answered by then, 0 to 1.",
        ),
        "share_waiting_regulars": ("double", "The same of the regulars' tickets."),
        "raw_difference": ("double", "Newcomers less regulars: above 0 where newcomers wait longer."),
        "adjusted_difference": (
            "double",
            "The same among tickets of the same repository and most frequent label of the record.",
        ),
        "ci_low": ("double", "Lower end of its 95 % interval, over weeks of a repository."),
        "ci_high": ("double", "Upper end."),
        "overlap": ("double", "Share of the newcomers' tickets that have such a counterpart."),
        "q_value": ("double", "False-discovery rate over all rows (null where it cannot be tested)."),
    },
)
SERVICE_METRICS = made_by_dbt("tickets.service_metrics", "service/tickets/service_metrics.yml")
SERVICE_DIFFERENCES = Table(
    "tickets.service_differences",
    "Are newcomers answered, and their tickets closed, less often in time than others'? "
    "Grain: one row per repository, period, metric and reference.",
    {
        "repository": SERVICE_METRICS.columns["repository"],
        "period": SERVICE_METRICS.columns["period"],
        "metric": ("varchar", "answered_within_ or closed_within_ 1, 7, 30 or 90d."),
        "group": ("varchar", "newcomer: whom nobody had seen in the repository before."),
        "reference": ("varchar", "The group that they are compared with: member or regular."),
        "n": ("bigint", "Tickets of the group."),
        "n_reference": ("bigint", "Tickets of the reference."),
        "value": ("double", "The group's share less that of the reference; below 0: less often in time."),
        "ci_low": ("double", "Lower end of the 95 % interval, over authors; null for too few."),
        "ci_high": ("double", "Upper end of the 95 % interval."),
        "p_value": ("double", "Two-sided p-value of no difference."),
        "q_value": (
            "double",
            "False-discovery rate over all differences of the period (Benjamini-Yekutieli).",
        ),
    },
)
