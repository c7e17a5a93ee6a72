-- Deliveries by key (see keys.py). Only what has a key comes here.

-- name: window_since
SELECT since_us FROM key_windows WHERE hook = ? AND kind = ? AND key = ?

-- name: begin_window
INSERT OR REPLACE INTO key_windows (hook, kind, key, since_us, until_us) VALUES (?, ?, ?, ?, ?)

-- name: delete_old_windows
DELETE FROM key_windows
WHERE (hook, kind, key) IN (SELECT hook, kind, key FROM key_windows INDEXED BY key_windows_until
                            WHERE until_us <= ? LIMIT ?)

-- name: newest_of_burst
SELECT id, seq, origin, status, attempts = 0 AND results = '', burst_us, order_key
FROM deliveries INDEXED BY deliveries_debounced
WHERE debounce_key IS NOT NULL AND status IN ('pending', 'held') AND hook = ? AND debounce_key = ?
ORDER BY seq DESC LIMIT 1

-- name: place_keyed
UPDATE deliveries
SET order_key = ?, order_skip = ?, blocked = ?, debounce_key = ?, burst_us = ?, due_us = ?
WHERE seq = ?

-- name: drop_keyed
-- What is cancelled at once: it was never leased, and its order key is only shown.
UPDATE deliveries SET order_key = ?, status = 'cancelled', reason = ?, lease_owner = NULL, lease_token = 0,
    lease_until_us = 0
WHERE seq = ?

-- name: status_of
SELECT status FROM deliveries WHERE seq = ?

-- name: turn
SELECT seq, status, due_us, order_skip, attempts > 0 FROM deliveries INDEXED BY deliveries_line
WHERE order_key IS NOT NULL AND status IN ('pending', 'running', 'waiting', 'held')
  AND hook = ? AND order_key = ? AND blocked = 0
ORDER BY seq LIMIT 1

-- name: first_behind
SELECT seq FROM deliveries INDEXED BY deliveries_line
WHERE order_key IS NOT NULL AND status IN ('pending', 'running', 'waiting', 'held')
  AND hook = ? AND order_key = ? AND blocked = 1
ORDER BY seq LIMIT 1

-- name: first_passed
SELECT due_us, seq FROM deliveries INDEXED BY deliveries_passed
WHERE blocked = 2 AND status IN ('pending', 'waiting', 'held') AND hook = ? AND order_key = ?
ORDER BY due_us, seq LIMIT 1

-- name: set_blocked
UPDATE deliveries SET blocked = ? WHERE seq = ?

-- name: order_keys_of
-- The order keys of some deliveries, by a JSON list of numbers.
SELECT d.hook, d.order_key
FROM json_each(?) AS wanted CROSS JOIN deliveries AS d ON d.seq = wanted.value
WHERE d.order_key IS NOT NULL

-- name: ahead_of
SELECT ahead.id
FROM deliveries AS d CROSS JOIN deliveries AS ahead INDEXED BY deliveries_line
WHERE d.id = ? AND d.blocked > 0 AND d.status IN ('pending', 'waiting', 'held')
  AND ahead.order_key IS NOT NULL AND ahead.status IN ('pending', 'running', 'waiting', 'held')
  AND ahead.hook = d.hook AND ahead.order_key = d.order_key AND ahead.blocked = 0
ORDER BY ahead.seq LIMIT 1
