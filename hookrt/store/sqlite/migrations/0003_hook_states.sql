-- Hooks that are disabled, or were, at run time. `version` counts all changes, so that others can ask what is new.

DROP TABLE hook_state;

CREATE TABLE hook_states (
    hook       TEXT    PRIMARY KEY,
    disabled   INTEGER NOT NULL,
    since_us   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    message    TEXT,
    definition TEXT    NOT NULL,                -- a digest of the hook's definition when this was written
    version    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX hook_states_version ON hook_states (version);
-- Every save asks whether there is any.
CREATE INDEX hook_states_disabled ON hook_states (hook) WHERE disabled = 1;
