-- Hooks that are disabled, and what is held for them.

-- name: hook_state
SELECT disabled FROM hook_states WHERE hook = ?

-- name: hook_states_changed
SELECT hook, disabled, since_us, reason, message, definition, version FROM hook_states WHERE version > ?
ORDER BY version

-- name: write_hook_state
-- The number of a change is given inside the transaction, so that numbers ascend in the order of commit.
INSERT INTO hook_states (hook, disabled, since_us, reason, message, definition, version)
VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(version), 0) + 1 FROM hook_states))
ON CONFLICT (hook) DO UPDATE
SET disabled = excluded.disabled, since_us = excluded.since_us, reason = excluded.reason, message = excluded.message,
    definition = excluded.definition, version = excluded.version
RETURNING version

-- name: new_of_disabled
-- What has just been added for hooks that are disabled.
SELECT seq, id, origin, hook, status FROM deliveries
WHERE seq > ? AND status IN ('pending', 'running', 'waiting')
  AND hook IN (SELECT hook FROM hook_states INDEXED BY hook_states_disabled WHERE disabled = 1)

-- name: hold_new
UPDATE deliveries
SET status = 'held', reason = ?, lease_owner = NULL, lease_token = 0, lease_until_us = 0
WHERE seq IN (SELECT value FROM json_each(?))

-- name: nth_held
-- The number of the n-th (from 0) delivery that is held for a hook.
SELECT seq FROM deliveries INDEXED BY deliveries_unleased
WHERE status IN ('pending', 'waiting', 'held') AND hook = ? AND origin = ? AND status = 'held'
ORDER BY seq LIMIT 1 OFFSET ?

-- name: held_of_hook
-- What is held for a hook, from a number on and after another.
SELECT seq FROM deliveries INDEXED BY deliveries_unleased
WHERE status IN ('pending', 'waiting', 'held') AND hook = ? AND origin = ? AND status = 'held' AND seq >= ? AND seq > ?
ORDER BY seq LIMIT ?

-- name: failing_since
-- In each hour the last failure is known: the first hour with one after the last success tells.
WITH success (us) AS (SELECT max(coalesce(max(last_success_us), 0), ?2) FROM hook_hours WHERE hook = ?1)
SELECT min(last_failure_us) FROM hook_hours, success WHERE hook = ?1 AND last_failure_us > success.us
