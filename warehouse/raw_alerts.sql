-- The raw tables of the alert batches: the rows of the batches that were accepted as a whole, and an account of
-- every batch. Apart from batch_id, the columns are those that the file of the same name must have.
-- Times are UTC without a zone.

create schema if not exists raw;

-- One row per batch that was ever delivered.
create table if not exists raw.alert_batches (
    batch_id varchar primary key,  -- '{processing_date}/{window_days}'
    processing_date date not null,
    window_days bigint not null,
    source varchar not null,       -- sample, alert_batches
    content_id varchar not null,   -- hash over the batch's files; of the newest delivery that was read
    files struct(file varchar, landed_as varchar, row_count bigint, md5 varchar)[] not null,
    status varchar not null check (status in ('loaded', 'refused')),
    reason varchar,                -- why it, or a later delivery of a loaded batch, was refused
    loaded_at timestamp not null
);

create table if not exists raw.alert_alerts (
    batch_id varchar not null,
    processing_date date not null,
    window_days bigint not null,
    alert_id varchar not null,
    address varchar not null,
    network varchar not null,
    typology_type varchar not null,
    pattern_id varchar,
    severity varchar not null,
    alert_confidence_score double not null,
    volume_usd double not null,
    evidence_json varchar,
    risk_indicators varchar[],
    created_at timestamp not null
);

create table if not exists raw.alert_features (
    batch_id varchar not null,
    processing_date date not null,
    window_days bigint not null,
    address varchar not null,
    network varchar not null,
    total_in_usd double,
    tx_in_count double,
    avg_tx_in_usd double,
    median_tx_in_usd double,
    degree_in double,
    total_out_usd double,
    tx_out_count double,
    avg_tx_out_usd double,
    median_tx_out_usd double,
    degree_out double,
    external_in_usd double,
    external_out_usd double,
    cash_usd double,
    degree_total double,
    total_volume_usd double,
    net_flow_usd double,
    tx_total_count double,
    max_tx_usd double,
    min_tx_usd double,
    unique_counterparties double,
    amount_variance double,
    amount_skewness double,
    activity_days double,
    activity_span_days double,
    night_transaction_ratio double,
    weekend_transaction_ratio double,
    structuring_score double,
    counterparty_concentration double,
    burst_factor double,
    reciprocity_ratio double,
    velocity_score double,
    pagerank double,
    clustering_coefficient double,
    kcore double,
    behavioral_anomaly_score double,
    days_since_first_activity double
);

create table if not exists raw.alert_clusters (
    batch_id varchar not null,
    processing_date date not null,
    window_days bigint not null,
    cluster_id varchar not null,
    cluster_type varchar not null,
    network varchar not null,
    primary_address varchar not null,
    primary_alert_id varchar not null,
    related_alert_ids varchar[] not null,
    addresses_involved varchar[] not null,
    total_alerts bigint not null,
    total_volume_usd double not null,
    severity_max varchar not null,
    confidence_avg double not null,
    earliest_alert_timestamp bigint not null, -- milliseconds since 1970
    latest_alert_timestamp bigint not null
);

create table if not exists raw.alert_money_flows (
    batch_id varchar not null,
    processing_date date not null,
    window_days bigint not null,
    network varchar not null,      -- the payer's
    from_address varchar not null,
    to_address varchar not null,
    tx_count bigint not null,
    amount_usd_sum double not null,
    first_seen_timestamp timestamp not null,
    last_seen_timestamp timestamp not null
);

create table if not exists raw.alert_ground_truth (
    batch_id varchar not null,
    processing_date date not null,
    alert_id varchar not null,
    ground_truth bigint not null,
    labelled_at timestamp not null
);

-- Who holds an address, where the delivery says so: for slices, never for features. The newest delivery counts.
create table if not exists raw.alert_accounts (
    network varchar,
    address varchar,
    region varchar,
    age_band varchar,
    source varchar not null,
    primary key (network, address)
);
