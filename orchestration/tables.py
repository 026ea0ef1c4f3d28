"""The published tables, each declared once: what it is, and of every column the type and the meaning."""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from orchestration.facts import FACTS
from orchestration.settings import DBT_PROJECT_DIR

# Type in SQL, and meaning.
Columns = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table `schema.table`."""

    name: str
    meaning: str
    columns: Columns

    @property
    def ddl(self) -> str:
        """The statements that make the table and its schema where they are not there yet."""
        columns = ", ".join(f'"{name}" {dtype}' for name, (dtype, _) in self.columns.items())
        return (
            f"create schema if not exists {self.name.split('.')[0]};"
            f"create table if not exists {self.name} ({columns});"
        )


def made_by_dbt(name: str, file: str) -> Table:
    """A table that a dbt model makes: what it is stands in the yml of the model.

    Parameters
    ----------
    name : str
        `schema.model`.
    file : str
        The yml, below the models.
    """
    described = yaml.safe_load((DBT_PROJECT_DIR / "models" / file).read_text())
    (model,) = described["models"]
    columns = {column["name"]: (column["data_type"], column["description"]) for column in model["columns"]}
    return Table(name, model["description"], columns)


_RUN: Columns = {
    "run_id": ("varchar", "Name of the run, which is that of its folder."),
    "domain": ("varchar", "tickets, remaining, response, assignees, alerts or alert_clusters."),
}
_MODEL: Columns = {
    "task": ("varchar", "regression (hours), binary (a scorer of 0/1 outcomes) or ranking."),
    "model": ("varchar", "Name of the model."),
}
_SPLIT: Columns = {
    "split": (
        "varchar",
        "validation or test: later than all that the model learned from. Of figures also "
        "origin_1, … (earlier rolling origins) and origins, their mean with that of validation.",
    ),
}
_INTERVAL: Columns = {
    "ci_low": (
        "double",
        "Lower end of the 95 % bootstrap interval; null where there is too little data for one.",
    ),
    "ci_high": (
        "double",
        "Upper end of the 95 % bootstrap interval; null where there is too little data for one.",
    ),
}
_FIGURE: Columns = {
    "metric": (
        "varchar",
        "Name of the metric; errors are in hours, or of log(1 + hours) where the name ends in _log.",
    ),
    "value": ("double", "Value of the metric."),
    **_INTERVAL,
    "n": ("bigint", "Rows that the metric is over."),
}
_METRIC: Columns = {**_RUN, **_MODEL, **_SPLIT, **_FIGURE}
_QUARTILES: Columns = {
    "min": ("varchar", "Smallest value, as text, cut to 200 characters."),
    "q25": ("varchar", "First quartile (approximate; numbers and times only)."),
    "median": ("varchar", "Median (approximate; numbers and times only)."),
    "q75": ("varchar", "Third quartile (approximate; numbers and times only)."),
    "max": ("varchar", "Largest value, as text, cut to 200 characters."),
}
_REASONS = (
    "struct(feature varchar, contribution double)[]",
    "The features that moved the score most, strongest first, with what each contributed (log-odds).",
)

_TICKET: Columns = {
    "item_id": ("varchar", "The ticket as repository#number."),
    "repository": ("varchar", "Repository as owner/name."),
    "number": ("bigint", "Number of the ticket within its repository."),
}

_CELL: Columns = {
    "observed_after_days": ("double", "Age of the tickets when they were seen, open, in days."),
    "horizon_days": ("double", "Days from the creation within which a ticket is closed or not."),
}

RESULTS = (
    Table(
        "ml.runs",
        "The runs whose models are current. Grain: one row per run and domain.",
        {
            **_RUN,
            "snapshot_id": ("varchar", "The training snapshot that the run learned from."),
            "started_at": ("timestamp", "When the training began (UTC)."),
            "finished_at": ("timestamp", "When the training ended (UTC)."),
            "git_sha": ("varchar", "Commit of the code that ran; unknown outside a git checkout."),
            "engine": ("varchar", "What started the run: dagster or the command line."),
            "seed": ("bigint", "Seed of everything that is drawn."),
            "status": ("varchar", "How the run ended."),
        },
    ),
    Table(
        "ml.promotions",
        "Every change of the champion, the oldest first. Grain: one row per change.",
        {
            "promoted_at": ("timestamp", "When it was made (UTC)."),
            "domain": _RUN["domain"],
            "task": _MODEL["task"],
            "action": ("varchar", "promotion, or rollback to an earlier champion."),
            "from_version": ("varchar", "Version of the champion before; null for the first one."),
            "to_version": ("varchar", "Version of the champion from then on."),
            "model": _MODEL["model"],
            "run_id": _RUN["run_id"],
            "snapshot_id": ("varchar", "The training snapshot that it learned from."),
            "who": ("varchar", "Who made it."),
            "why": ("varchar", "Why."),
            "gate": ("varchar", "What the bias gate said of it."),
            "figures": (
                "json",
                "Comparison with the champion before on the same test rows (JSON): error of log hours of "
                "both, the paired gain (positive: the new one is better) with its 95 % interval, and n.",
            ),
        },
    ),
    Table(
        "ml.models",
        "The current models of every domain and task. Grain: one row per model.",
        {
            "model_version": ("varchar", "Version of the model: changes with data, settings and code."),
            **_RUN,
            **_MODEL,
            "path": ("varchar", "File of the model within the run folder."),
            "sha256": ("varchar", "Hash of that file, checked when it is loaded."),
            "params": ("json", "Parameters that the model was trained with (JSON)."),
            "feature_list": ("varchar[]", "Features that the model reads, in order."),
            "alias": ("varchar", "champion: the one that is served; challenger: any other."),
        },
    ),
    Table(
        "ml.model_metrics",
        "Every metric of every current model. Grain: one row per model, split and metric.",
        _METRIC,
    ),
    Table(
        "ml.horizon_metrics",
        "How well a model of the remaining time tells which tickets, open at an age, are closed within a "
        "horizon, beside the repository's own rate (_group_rate). Grain: one row per model, split, age, "
        "horizon and metric.",
        {**_RUN, **_MODEL, **_SPLIT, **_CELL, **_FIGURE},
    ),
    Table(
        "ml.predictions",
        "Predictions for validation and test. Grain: one row per model, split, item and observation time.",
        {
            **_RUN,
            **_MODEL,
            "item_id": ("varchar", "The item: ticket, candidate, alert or cluster."),
            "event_at": ("timestamp", "Observation time T, for which the item is predicted (UTC)."),
            **_SPLIT,
            "y_true": ("double", "The truth: hours, 0/1 or a grade; null where it is not known."),
            "y_pred": ("double", "The prediction: hours, or the probability or score."),
            "p10": ("double", "10th percentile of the predicted hours; null for scorers and rankers."),
            "p90": ("double", "90th percentile of the predicted hours; null for scorers and rankers."),
        },
    ),
    Table(
        "history.model_metrics",
        "The same metrics of all runs. Grain: one row per run, model, split and metric.",
        _METRIC,
    ),
)
MODEL_BUILDS = Table(
    "feature_store.model_builds",
    "What each dbt model that is up to date was built from. Grain: one row per model.",
    {
        "model": ("varchar", "Unique id of the model in dbt."),
        "schema_name": ("varchar", "Schema of its relation."),
        "relation": ("varchar", "Name of its relation."),
        "built_from": ("varchar", "Hash of its SQL, variables, tests and raw rows, and of those it reads."),
    },
)
FEATURE_STORE = (
    MODEL_BUILDS,
    Table(
        "feature_store.feature_registry",
        "Which features exist. Grain: one row per feature view and feature.",
        {
            "feature_view": ("varchar", "The dbt model that makes the feature."),
            "feature": ("varchar", "Name of the feature."),
            "dtype": ("varchar", "Its type in DuckDB."),
            "entity": ("varchar", "Whose value it is."),
            "owner": ("varchar", "Who answers for the view."),
            "description": ("varchar", "What it says, with its unit."),
            "ttl": ("varchar", "How old a value may be before it counts as unknown."),
            "sql_hash": ("varchar", "Hash of the view's SQL and of all that it reads."),
            "version": ("integer", "Counts the changes of that hash, from 1."),
        },
    ),
    Table(
        "feature_store.feature_stats",
        "What the features look like. Grain: one row per training snapshot and feature.",
        {
            "snapshot_id": ("varchar", "The training snapshot."),
            "feature": ("varchar", "Name of the feature."),
            "dtype": ("varchar", "Its type in DuckDB."),
            "n": ("bigint", "Rows."),
            "null_share": ("double", "Share of rows without a value (0 to 1)."),
            "n_distinct": ("bigint", "Different values (approximate)."),
            "mean": ("double", "Mean, of numbers."),
            "std": ("double", "Standard deviation, of numbers."),
            **_QUARTILES,
        },
    ),
    Table(
        "feature_store.training_snapshots",
        "What models were trained on. Grain: one row per snapshot.",
        {
            "snapshot_id": ("varchar", "Content hash of the snapshot, which names its folder."),
            "domain": _RUN["domain"],
            "sha256": ("varchar", "The same hash."),
            "rows": ("bigint", "Rows of the training relation."),
            "n_features": ("bigint", "Features of the training relation."),
            "feature_versions": ("json", "Version of each feature view at the time (JSON)."),
            "git_sha": ("varchar", "Commit of the code that took it; unknown outside a git checkout."),
            "path": ("varchar", "Its folder below the snapshots."),
            "created_at": ("timestamp", "When it was taken (UTC)."),
        },
    ),
)
TICKET_PREDICTIONS = Table(
    "tickets.predictions",
    "The tickets that are open: how much longer they will take, how sure that is, and why. As of the end of "
    "the records of each repository. Grain: one row per ticket.",
    {
        **_TICKET,
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
REPOSITORIES = Table(
    "tickets.repositories",
    "Where the tickets come from. Grain: one row per repository.",
    {
        "repository": _TICKET["repository"],
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
        **_TICKET,
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
ASSIGNEE_CANDIDATES = Table(
    "tickets.assignee_candidates",
    "Who is most likely to take an open ticket. Grain: one row per ticket and person.",
    {
        **_TICKET,
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
        "why": ("varchar", "The strongest reasons for the person, in words."),
        "reasons": _REASONS,
        "observed_at": ("timestamp", "When the question is asked: what was known by then is used (UTC)."),
        "model_version": ("varchar", "Version of the model."),
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
ALERT_SCORES = Table(
    "alerts.scores",
    "The alerts of the newest batch, or of those that were asked for, scored. Grain: one row per alert.",
    {
        "item_id": ("varchar", "The alert."),
        "batch_id": ("varchar", "Batch as 'processing date/window in days'."),
        "event_at": ("timestamp", "Observation time T, midnight of the processing date (UTC)."),
        "probability": ("double", "Probability that the alert is reported."),
        "is_flagged": ("boolean", "Whether the probability reaches the scorer's threshold."),
        "probability_rank": ("bigint", "Place within the batch by probability, 1 first."),
        "rank": ("bigint", "Place in the order of review within the batch, by the ranker, 1 first."),
        "must_review": (
            "boolean",
            "A critical alert: it is reviewed beside the first ones, whatever its place.",
        ),
        "is_held_above_cut": (
            "boolean",
            "A critical alert that only must_review brings into the review: its rank is below the cut.",
        ),
        "may_be_known": (
            "boolean",
            "The models may have learned from the alert's batch: of a new one they know less.",
        ),
        "reasons": _REASONS,
        "scorer_version": ("varchar", "Version of the scorer, which gives the probability."),
        "ranker_version": ("varchar", "Version of the ranker, which gives the order."),
    },
)
ALERT_ORDERS = Table(
    "alerts.review_orders",
    "How good the orders of review are on the test batches. Grain: one row per order and metric.",
    {
        "review_order": (
            "varchar",
            "By probability, by rank, or must_review_first: critical alerts, then rank.",
        ),
        "metric": ("varchar", "precision@20, ndcg@10 (means over batches) or average_precision."),
        "value": ("double", "Value of the metric."),
        **_INTERVAL,
        "n": ("bigint", "Alerts behind it."),
    },
)


SERVED = (
    TICKET_PREDICTIONS,
    REPOSITORIES,
    SIMILAR_TICKETS,
    RESPONSE_GAPS,
    SERVICE_METRICS,
    SERVICE_DIFFERENCES,
    ASSIGNEE_CANDIDATES,
    ALERT_SCORES,
    ALERT_ORDERS,
)


def descriptions() -> dict[str, tuple[str, Mapping[str, str]]]:
    """Sentence of every published table, by `schema.table`, and of each of its columns."""
    from ml.bias.tables import MEANINGS, columns

    declared = {
        table.name: (table.meaning, {name: meaning for name, (_, meaning) in table.columns.items()})
        for table in (*RESULTS, *FEATURE_STORE, *SERVED)
    }
    bias = {name: {column.name: column.comment for column in columns(name)} for name in MEANINGS}
    return {
        **declared,
        **{f"bias.{name}": (f"{MEANINGS[name]}.", of_columns) for name, of_columns in bias.items()},
        "history.bias_summary": (f"{MEANINGS['summary']}, of all runs.", bias["summary"]),
    }
