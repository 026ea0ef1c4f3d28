-- What the rules said, and nothing of what came of it.
with source as (
    select *
    from {{ source('raw_alerts', 'alert_alerts') }}
)

select
    alert_id,
    batch_id,
    processing_date,
    window_days::integer as window_days,
    network,
    address,
    typology_type as typology,
    nullif(pattern_id, '') as pattern_id,
    severity,
    {{ severity_rank('severity') }} as severity_rank,
    alert_confidence_score as rule_confidence,
    volume_usd,
    coalesce(cardinality(risk_indicators), 0)::integer as n_indicators,
    created_at
from source
