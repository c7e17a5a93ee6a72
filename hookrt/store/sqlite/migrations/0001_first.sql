-- The first schema. Times are integer microseconds since the epoch. `seq` is the order of commit.

CREATE TABLE events (
    seq          INTEGER PRIMARY KEY,
    id           TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    type         TEXT    NOT NULL,
    subject      TEXT,
    time_us      INTEGER NOT NULL,
    received_us  INTEGER NOT NULL,
    content_type TEXT,
    binary       INTEGER NOT NULL,
    attributes   TEXT    NOT NULL,              -- a JSON object, or '' for none
    digest       BLOB    NOT NULL,
    cause        TEXT,
    depth        INTEGER NOT NULL,
    content      BLOB    NOT NULL               -- last, since long ones spill to other pages
) STRICT;

-- `id` first: ids made by hookrt ascend, so that new ones stay together; and an id alone can be looked up.
CREATE UNIQUE INDEX events_identity ON events (id, source);
CREATE INDEX events_type ON events (type);

CREATE TABLE deliveries (
    seq            INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL,
    event_seq      INTEGER NOT NULL,
    hook           TEXT    NOT NULL,
    origin         TEXT    NOT NULL,
    lane           TEXT    NOT NULL,
    status         TEXT    NOT NULL
        CHECK (status IN ('pending', 'running', 'waiting', 'held', 'succeeded', 'dead', 'cancelled')),
    due_us         INTEGER NOT NULL,
    created_us     INTEGER NOT NULL,
    updated_us     INTEGER NOT NULL,
    expires_us     INTEGER NOT NULL,
    results        TEXT    NOT NULL DEFAULT '', -- JSON lines, each an object of results by step; a later line wins
    attempts       INTEGER NOT NULL DEFAULT 0,
    step_attempts  INTEGER NOT NULL DEFAULT 0,
    failed_steps   INTEGER NOT NULL DEFAULT 0,
    reason         TEXT,
    order_key      TEXT,
    replay_of      TEXT,
    salt           TEXT    NOT NULL DEFAULT '',
    lease_owner    TEXT,                        -- NULL, 0 and 0 without a lease
    lease_token    INTEGER NOT NULL DEFAULT 0,
    lease_until_us INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX deliveries_id ON deliveries (id);
CREATE INDEX deliveries_event ON deliveries (event_seq);
CREATE INDEX deliveries_hook ON deliveries (hook);
-- What is handed over in memory is `running` from the start, and touches only the last two.
CREATE INDEX deliveries_due ON deliveries (lane, due_us) WHERE status IN ('pending', 'waiting');
CREATE INDEX deliveries_next ON deliveries (due_us) WHERE status IN ('pending', 'waiting');
CREATE INDEX deliveries_unleased ON deliveries (hook) WHERE status IN ('pending', 'waiting', 'held');
CREATE INDEX deliveries_leased ON deliveries (lease_until_us) WHERE status = 'running';
CREATE INDEX deliveries_status ON deliveries (status) WHERE status <> 'running';

CREATE TABLE attempts (
    delivery_seq INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    step         TEXT    NOT NULL,
    started_us   INTEGER NOT NULL,
    duration_us  INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,
    reason       TEXT,
    message      TEXT,
    logs         TEXT    NOT NULL,              -- a JSON list, or '' for none
    exchange     TEXT    NOT NULL,              -- a JSON object, or '' for none
    PRIMARY KEY (delivery_seq, number)
) STRICT, WITHOUT ROWID;

-- How many deliveries there are in each status, kept up to date by whatever changes one: counting a million rows
-- would cost what delivering hundreds does.
CREATE TABLE tallies (
    status TEXT    PRIMARY KEY,
    n      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO tallies
VALUES ('pending', 0), ('running', 0), ('waiting', 0), ('held', 0), ('succeeded', 0), ('dead', 0), ('cancelled', 0);

-- The same by hook: `open` are those that are pending, running or waiting.
CREATE TABLE hook_tallies (
    origin TEXT    NOT NULL,
    hook   TEXT    NOT NULL,
    open   INTEGER NOT NULL,
    held   INTEGER NOT NULL,
    PRIMARY KEY (origin, hook)
) STRICT, WITHOUT ROWID;

-- What happened to a hook's deliveries in each hour since the epoch.
CREATE TABLE hook_hours (
    hook            TEXT    NOT NULL,
    hour            INTEGER NOT NULL,
    succeeded       INTEGER NOT NULL,
    dead            INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    last_success_us INTEGER NOT NULL,           -- 0 for none
    last_failure_us INTEGER NOT NULL,
    PRIMARY KEY (hook, hour)
) STRICT, WITHOUT ROWID;

-- Reserved: what is remembered of a hook beside its definition, such as that it was disabled.
CREATE TABLE hook_state (
    hook       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    value      BLOB    NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (hook, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE kv (
    namespace  TEXT NOT NULL,
    key        TEXT NOT NULL,
    value      BLOB NOT NULL,
    expires_us INTEGER,
    PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX kv_expires ON kv (expires_us) WHERE expires_us IS NOT NULL;

-- Reserved: long work asked for over HTTP, such as the replay of many.
CREATE TABLE jobs (
    id         TEXT    PRIMARY KEY,
    kind       TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    request    BLOB    NOT NULL,
    progress   BLOB,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
