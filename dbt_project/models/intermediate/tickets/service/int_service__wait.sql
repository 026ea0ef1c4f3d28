-- How long tickets waited for what they wait for, or how long they were at least seen to wait (censored).
--
-- A first response is the first that a person who is not the author did; where comments are not known, neither is it.
-- A closing counts if its kind resolves: what a stale bot closed waited until then and was not resolved. First and
-- final closing are CHAOSS's two readings of "time to close"; a closing that was undone is never final. Before an
-- import only the slowest can be told apart, so that such tickets are not looked at.
with issues as (
    select resolutions.*, cleaned.is_before_import
    from {{ ref('int_issue__resolution') }} as resolutions
    inner join {{ ref('int_issue__cleaned') }} as cleaned on resolutions.item_id = cleaned.item_id
),

closings as (
    select
        closings.item_id,
        min(closings.closed_at) filter (
            where closings.closed_at > issues.created_at
            and closings.resolution_kind in ('{{ var("resolving_kinds") | join("', '") }}') -- noqa: LT05
        ) as first_at,
        max(closings.closed_at) filter (where closings.is_resolution) as final_at,
        max(closings.closed_at) filter (where closings.is_last and closings.reopened_at is null) as ended_at
    from {{ ref('int_issue__closing') }} as closings
    inner join issues on closings.item_id = issues.item_id and not issues.is_before_import
    group by closings.item_id
),

waits as (
    select item_id, 'time_to_first_response' as metric, responded_at as ended_at, observed_until
    from {{ ref('int_issue__first_response') }}
    where is_known
    {%- for name in ('first', 'final') %}
    union all
    select
        issues.item_id,
        'time_to_close_{{ name }}' as metric,
        closings.{{ name }}_at as ended_at,
        greatest(issues.created_at, least(issues.observed_until, closings.ended_at)) as observed_until
    from issues
    left join closings on issues.item_id = closings.item_id
    {%- endfor %}
)

select
    issues.item_id,
    issues.repository,
    waits.metric,
    {{ hours_between('issues.created_at', 'coalesce(waits.ended_at, waits.observed_until)') }} as hours,
    waits.ended_at is not null as is_observed,
    issues.created_at
from waits
inner join issues on waits.item_id = issues.item_id
