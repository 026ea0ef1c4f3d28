-- What speaks for which kind of closing; `place` is the order in which it is believed, the strongest first.
-- What was known when the day of the closing was over is dated; the labels of a record without events are as of the
-- download, and a transfer or a reference may come later.
{% set at_once = "interval '1 minute'" %}

with events as (
    select * from {{ ref('int_issue__event') }}
),

closings as (
    select
        events.item_id,
        events.event_id,
        events.repository,
        events.actor_id,
        events.actor_kind,
        events.state_reason,
        events.commit_id,
        issues.author_login,
        issues.created_at,
        events.event_at as closed_at,
        {{ end_of_day('events.event_at') }} as day_ends_at,
        row_number() over (
            partition by events.item_id order by events.event_at desc, events.event_id desc
        ) = 1 as is_last
    from events
    inner join {{ ref('int_issue__cleaned') }} as issues on events.item_id = issues.item_id
    where events.event = 'closed'
),

-- Each comment by its place towards a closing: said with it (by anybody at once, by who closed it within ten minutes),
-- or before it.
comments as (
    select
        closings.event_id as closing_id,
        events.event_id,
        events.actor_id,
        events.actor_kind,
        events.event_at,
        closings.closed_at,
        abs({{ hours_between('closings.closed_at', 'events.event_at') }}) <= 1 / 60
        or coalesce(
            lower(events.actor_id) = lower(closings.actor_id)
            and abs({{ hours_between('closings.closed_at', 'events.event_at') }}) <= 1 / 6,
            false
        ) as is_said_with_it
    from closings
    inner join events on closings.item_id = events.item_id
    where events.event = 'commented' and events.event_at < closings.day_ends_at
),

last_words as (
    select closing_id, max(event_at) as last_words_at
    from comments
    where actor_kind <> 'bot' and event_at < closed_at and not is_said_with_it
    group by closing_id
),

-- What may be a reason: said with the closing, or the last before it, programs apart.
telling as (
    select comments.*, texts.body
    from comments
    inner join {{ ref('stg_github__comment') }} as texts
        on comments.event_id = texts.item_id || '/comment/' || texts.position
    left join last_words on comments.closing_id = last_words.closing_id
    where
        comments.is_said_with_it
        or (
            comments.event_at < comments.closed_at
            and (comments.event_at >= last_words.last_words_at or last_words.last_words_at is null)
        )
),

comment_kinds as {{ once() }} (
    select
        *,
        {{ kind_of_comment('body') }} as kind
    from telling
),

intervals as (
    select
        *,
        {{ kind_of_label('label') }} as kind
    from {{ ref('int_issue__label_interval') }}
),

labels as (
    select
        closings.event_id,
        intervals.label,
        intervals.kind,
        true as is_dated
    from closings
    inner join intervals
        on
            closings.item_id = intervals.item_id
            and closings.day_ends_at > intervals.labeled_at
            and (intervals.unlabeled_at is null or closings.closed_at < intervals.unlabeled_at)
    left join last_words on closings.event_id = last_words.closing_id
    where
        -- Who speaks after that label ends the silence that it speaks of.
        intervals.kind <> 'stale'
        or (
            intervals.labeled_at <= closings.closed_at
            and (last_words.last_words_at is null or last_words.last_words_at <= intervals.labeled_at)
        )
    union all
    select
        closings.event_id,
        labels.label,
        {{ kind_of_label('labels.label') }} as kind,
        false as is_dated
    from closings
    inner join {{ ref('stg_github__label') }} as labels on closings.item_id = labels.item_id
    where closings.is_last and labels.item_id not in (select told.item_id from intervals as told)
),

transfers as (
    select item_id, min(event_at) as transferred_at
    from events
    where event = 'transferred'
    group by item_id
),

evidence as (
    select
        closings.event_id,
        10 as place,
        'moved' as kind,
        'event transferred' as evidence,
        transfers.transferred_at < closings.day_ends_at as is_dated
    from closings
    inner join transfers on closings.item_id = transfers.item_id
    union all
    select
        closing_id,
        case kind
            when 'moved' then 11
            when 'duplicate' then 43
            when 'completed' then 45
            when 'stale' then 50
            else 62
        end,
        kind,
        'comment of ' || coalesce(actor_id, 'somebody'),
        true
    from comment_kinds
    -- A program's notice asks whether something was fixed.
    where is_said_with_it and kind is not null and not (kind = 'completed' and actor_kind = 'bot')
    union all
    select
        event_id,
        case kind
            when 'moved' then 12
            when 'duplicate' then 42
            when 'stale' then 51
            when 'completed' then 63
            else 61
        end,
        kind,
        'label ' || label,
        is_dated
    from labels
    where kind is not null
    union all
    select closings.event_id, 20, 'bulk_import', days.closings || ' closings on ' || days.closed_on, true
    from closings
    inner join {{ ref('int_repository__closing_day') }} as days
        on closings.repository = days.repository and closings.closed_at::date = days.closed_on
    where days.is_bulk
    union all
    select event_id, 21, 'bulk_import', 'closed no later than it was opened', true
    from closings
    where closed_at <= created_at
    union all
    select event_id, 30, 'completed', 'commit ' || commit_id, true
    from closings
    where commit_id is not null
    union all
    select
        closings.event_id,
        31,
        'completed',
        'commit ' || min(events.commit_id),
        min(events.event_at) < any_value(closings.day_ends_at)
    from closings
    inner join events
        on
            closings.item_id = events.item_id
            and events.event = 'referenced'
            and events.event_at between closings.closed_at - {{ at_once }} and closings.closed_at + {{ at_once }}
    where events.commit_id is not null
    group by closings.event_id
    union all
    select
        closings.event_id,
        32,
        'completed',
        'pull request ' || min(links.pull_request_id),
        bool_or(greatest(links.linked_at, links.pull_request_closed_at) < closings.day_ends_at)
    from closings
    inner join {{ ref('int_issue__pull_request_link') }} as links
        on
            closings.item_id = links.item_id
            and links.pull_request_closed_at
            between closings.closed_at - {{ at_once }} and closings.closed_at + {{ at_once }}
    group by closings.event_id
    union all
    select closings.event_id, 40, 'duplicate', 'event marked_as_duplicate', true
    from closings
    inner join events on closings.item_id = events.item_id
    where events.event = 'marked_as_duplicate' and events.event_at < closings.day_ends_at
    union all
    select closing_id, 52, 'stale', 'notice of ' || coalesce(actor_id, 'somebody'), true
    from comment_kinds
    where
        not is_said_with_it
        and kind = 'stale'
        and (
            actor_kind = 'bot'
            or (actor_kind <> 'author' and {{ matches('body', '(?i)\\bclos(?:e|ing|ed)\\b') }})
        )
    union all
    select event_id, 53, 'completed', 'closed by ' || actor_id || ', which merges', true
    from closings
    where
        actor_kind = 'bot'
        and lower(actor_id) in ('{{ var("merging_logins") | join("', '") }}') -- noqa: LT05
    union all
    select event_id, 54, 'by_author', 'closed by its author', true
    from closings
    where actor_kind = 'bot' and lower(actor_id) = lower(author_login)
    union all
    select event_id, 55, 'stale', 'closed by the program ' || actor_id, true
    from closings
    where actor_kind = 'bot'
    union all
    select
        event_id,
        case state_reason when 'duplicate' then 41 when 'not_planned' then 60 else 80 end,
        state_reason,
        'state_reason ' || state_reason,
        true
    from closings
    where state_reason in ('duplicate', 'not_planned', 'completed')
    union all
    select event_id, 70, 'by_author', 'closed by its author', true
    from closings
    where actor_kind = 'author'
)

select
    event_id as closing_id,
    place::integer as place,
    kind,
    evidence,
    bool_or(is_dated) as is_dated
from evidence
group by all
