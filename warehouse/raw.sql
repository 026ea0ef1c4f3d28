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
    line bigint not null,          -- line of JSON Lines, or which record or row of the file; counted from 1
    fetched_at timestamp not null, -- when the file landed
    loaded_at timestamp not null,
    issue_id varchar,              -- its identifier at the source; null where that has none
    created_at timestamp,
    kept json,                     -- parts that another record knows better: where each of them came from
    primary key (repository, number)
);
alter table raw.issues add column if not exists issue_id varchar;
alter table raw.issues add column if not exists created_at timestamp;
alter table raw.issues add column if not exists kept json;

-- Other names under which records of a repository came: former ones, other cases, misspelt ones.
create table if not exists raw.repository_names (
    name varchar primary key,      -- in lower case
    repository varchar not null    -- as in raw.issues
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
    problem varchar,               -- why nothing of the file, or nothing from some record on, could be read
    is_current boolean,            -- false when the source did not bring the file any more in its last run
    lines_read bigint not null,
    loaded bigint not null,
    superseded bigint not null,
    rejected bigint not null,
    check (lines_read = loaded + superseded + rejected)
);
alter table raw.loads add column if not exists problem varchar;
alter table raw.loads add column if not exists is_current boolean;
