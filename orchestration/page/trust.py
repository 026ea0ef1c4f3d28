"""How far to trust it: the leaderboard, how chances came true, the best and worst answers, and the bias."""

from orchestration.page.published import Published, Row

_CHAMPION = "models.domain = 'tickets' and models.task = 'regression' and models.alias = 'champion'"
_EXAMPLES = 5


def champion(published: Published) -> Row | None:
    """The champion of the hours with its run, snapshot and code; None when there is none."""
    rows = published.rows_of(
        "ml.models",
        f"""
        select models.*, runs.snapshot_id, runs.finished_at, runs.git_sha, runs.seed
        from ml.models as models inner join ml.runs as runs using (run_id, domain)
        where {_CHAMPION}
        """,  # noqa: S608 - our own words
        "alias", "model_version",
    )  # fmt: skip
    return rows[0] if rows else None


def leaderboard(published: Published) -> list[Row]:
    """The models of the hours with their error on the test part, the smallest first."""
    return published.rows_of(
        "ml.model_metrics",
        """
        select
            models.model, models.alias, error.value, error.ci_low, error.ci_high, error.n,
            gain.value as gain, gain.ci_low as gain_low, gain.ci_high as gain_high
        from ml.models as models
        inner join ml.model_metrics as error
            on error.run_id = models.run_id and error.model = models.model and error.task = models.task
            and error.split = 'test' and error.metric = 'mae_log'
        left join ml.model_metrics as gain
            on gain.run_id = models.run_id and gain.model = models.model and gain.task = models.task
            and gain.split = 'test' and gain.metric = 'mae_log_gain_vs_median'
        where models.domain = 'tickets' and models.task = 'regression'
        order by error.value, models.model
        """,
        "metric", "value",
    )  # fmt: skip


def calibration(published: Published) -> list[Row]:
    """Per horizon: how well chances sort, how far off they are, and how often it came true."""
    return published.rows_of(
        "ml.model_metrics",
        f"""
        select
            regexp_extract(metric, '_([0-9]+)d$', 1)::int as days,
            any_value(value) filter (starts_with(metric, 'auc_')) as auc,
            any_value(value) filter (starts_with(metric, 'ece_')) as calibration_error,
            any_value(value) filter (starts_with(metric, 'rate_')) as rate,
            any_value(n) as n
        from ml.model_metrics inner join ml.models as models using (run_id, domain, task, model)
        where {_CHAMPION} and split = 'test' and regexp_matches(metric, '^(auc|ece|rate)_[0-9]+d$')
        group by days order by days
        """,  # noqa: S608
        "metric", "value",
    )  # fmt: skip


def calibration_by_age(published: Published) -> list[Row]:
    """Per band of age: how far chances of the remaining time are off, and what the interval holds."""
    return published.rows_of(
        "ml.model_metrics",
        r"""
        select
            regexp_replace(
                regexp_replace(replace(regexp_extract(metric, '_age_(.+)$', 1), '_', ' '), '\b1d$', '1 day'),
                '([0-9])d$', '\1 days'
            ) as age,
            any_value(value) filter (starts_with(metric, 'remaining_ece')) as calibration_error,
            any_value(value) filter (starts_with(metric, 'remaining_coverage')) as coverage,
            any_value(n) filter (starts_with(metric, 'remaining_coverage')) as n
        from ml.model_metrics inner join ml.models as models using (run_id, domain, task, model)
        where
            models.alias = 'champion' and models.domain = 'remaining' and split = 'test'
            and regexp_matches(metric, '^remaining_(ece|coverage_80)_age_')
        group by age
        order by try_cast(regexp_extract(age, '[0-9]+') as int), starts_with(age, 'beyond')
        """,
        "metric", "value",
    )  # fmt: skip


def examples(published: Published) -> dict[str, list[Row]]:
    """Test tickets whose hours the champion got most right and most wrong."""
    found = published.rows_of(
        "ml.predictions",
        f"""
        select item_id, event_at, y_true, y_pred, abs(ln(1 + y_pred) - ln(1 + y_true)) as error
        from ml.predictions inner join ml.models as models using (run_id, domain, task, model)
        where {_CHAMPION} and split = 'test' and y_true is not null
        qualify
            row_number() over (order by error, item_id) <= {_EXAMPLES}
            or row_number() over (order by error desc, item_id) <= {_EXAMPLES}
        order by error, item_id
        """,  # noqa: S608
        "y_true", "y_pred", "item_id",
    )  # fmt: skip
    half = len(found) // 2
    return {"best": found[:half], "worst": found[half:][::-1]} if found else {}


def bias(published: Published) -> list[Row]:
    """The champion's verdict per dimension on the test part, those that were flagged first."""
    return published.rows_of(
        "bias.summary",
        f"""
        select dimension, verdict, worst_slice, relative_gap, shrunk_gap, flagged
        from bias.summary inner join ml.models as models using (run_id, domain, task, model)
        where {_CHAMPION} and split = 'test' and not is_outcome
        order by flagged desc, shrunk_gap desc nulls last, dimension
        """,  # noqa: S608
        "verdict", "is_outcome",
    )  # fmt: skip


def concentration(published: Published) -> list[Row]:
    """How unevenly the first place falls to people, beside how tickets truly fell."""
    return published.rows_of(
        "bias.ranking_concentration",
        """
        select who, gini, ci_low, ci_high, top_share, n_lists
        from bias.ranking_concentration
        where
            model = 'assignee_ranker' and split = 'test' and dimension = '(all)'
            and who in ('ranked_first', 'relevant')
        order by who
        """,
        "who", "gini", "top_share",
    )  # fmt: skip


def promotions(published: Published, most: int = 5) -> list[Row]:
    """The newest changes of the champion."""
    return published.rows_of(
        "ml.promotions", f"from ml.promotions order by promoted_at desc limit {most}", "promoted_at", "why"
    )
