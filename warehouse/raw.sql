-- The raw tables: what the sources brought, and the account of every line. Times are UTC without a zone.

create schema if not exists raw;

-- The newest record of each issue and pull request, in the field names of GitHub's REST API.
create table if not exists raw.issues (
    repository varchar not null,
    number bigint not null,
    record json not null,
    updated_at timestamp,
    source varchar not null,       -- sample, archive, github
    file varchar not null,         -- relative to the landing directory
    line bigint not null,          -- counted from 1
    fetched_at timestamp not null, -- when the file landed
    loaded_at timestamp not null,
    primary key (repository, number)
);

-- Lines that could not be loaded, with the reason.
create table if not exists raw.rejected_records (
    load_id varchar not null,
    file varchar not null,
    line bigint not null,
    reason varchar not null,
    record varchar,                -- the first 2,000 characters; null when nothing could be read
    rejected_at timestamp not null
);

-- Issues that are gone from GitHub; their records stay in raw.issues. An issue that was fetched after `seen_at`
-- has come back.
create table if not exists raw.tombstones (
    repository varchar not null,
    number bigint not null,
    reason varchar not null,       -- deleted, transferred, gone, blocked, disabled
    seen_at timestamp not null,
    primary key (repository, number)
);

-- One row per landed file; lines_read = loaded + superseded + rejected.
create table if not exists raw.loads (
    load_id varchar primary key,
    source varchar not null,
    file varchar not null,
    sha256 varchar not null unique,
    fetched_at timestamp not null,
    loaded_at timestamp not null,
    lines_read bigint not null,
    loaded bigint not null,
    superseded bigint not null,
    rejected bigint not null,
    check (lines_read = loaded + superseded + rejected)
);
