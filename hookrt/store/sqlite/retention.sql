-- Looking for what is old, and removing it. There is no index for it, which every delivery would pay for: events are
-- looked at in the order in which they came. The same form as queries.sql. Lists of numbers come as JSON.

-- part: aged
json_group_array(json_array(seq, received_us, size, dropped, deliveries, open, succeeded, cancelled, dead))

-- part: aged_columns
e.seq, e.received_us, length(e.content) AS size, length(e.content) = 0 AND e.binary = 0 AS dropped,
count(d.seq) AS deliveries, coalesce(max(d.status NOT IN ('succeeded', 'cancelled', 'dead')), 0) AS open,
coalesce(max(CASE d.status WHEN 'succeeded' THEN d.updated_us END), 0) AS succeeded,
coalesce(max(CASE d.status WHEN 'cancelled' THEN d.updated_us END), 0) AS cancelled,
coalesce(max(CASE d.status WHEN 'dead' THEN d.updated_us END), 0) AS dead

-- part: deliveries_of
SELECT d.seq FROM json_each(?) AS wanted CROSS JOIN deliveries AS d INDEXED BY deliveries_event ON d.event_seq = wanted.value

-- name: aged_events
SELECT {aged} FROM (
    SELECT {aged_columns}
    FROM events AS e NOT INDEXED LEFT JOIN deliveries AS d INDEXED BY deliveries_event ON d.event_seq = e.seq
    WHERE e.seq > ? AND e.seq <= ? GROUP BY e.seq ORDER BY e.seq LIMIT ?
)

-- name: aged_at
SELECT {aged} FROM (
    SELECT {aged_columns}
    FROM json_each(?) AS wanted CROSS JOIN events AS e ON e.seq = wanted.value
    LEFT JOIN deliveries AS d INDEXED BY deliveries_event ON d.event_seq = e.seq
    GROUP BY e.seq ORDER BY e.seq
)

-- name: newest
-- The event that came last, and the one whose delivery was made last: their numbers must not be given again.
SELECT (SELECT max(seq) FROM events), (SELECT event_seq FROM deliveries ORDER BY seq DESC LIMIT 1)

-- name: statuses_of
SELECT d.status, count(*)
FROM json_each(?) AS wanted CROSS JOIN deliveries AS d INDEXED BY deliveries_event ON d.event_seq = wanted.value
GROUP BY d.status

-- name: remove_attempts
DELETE FROM attempts WHERE delivery_seq IN ({deliveries_of})

-- name: remove_deliveries
DELETE FROM deliveries WHERE seq IN ({deliveries_of})

-- name: remove_events
DELETE FROM events WHERE seq IN (SELECT value FROM json_each(?))

-- name: row_figures
-- Numbers are given without gaps, so that what is not removed is there.
SELECT (SELECT coalesce(max(seq), 0) FROM events), (SELECT coalesce(sum(n), 0) FROM tallies)

-- name: results_of
SELECT seq, results FROM deliveries WHERE results <> '' AND seq IN ({deliveries_of})

-- name: set_results
UPDATE deliveries SET results = ? WHERE seq = ?

-- name: empty_attempts
UPDATE attempts SET logs = '', exchange = ''
WHERE delivery_seq IN ({deliveries_of}) AND (logs <> '' OR exchange <> '')

-- name: empty_events
UPDATE events SET content = x'', binary = 0 WHERE seq IN (SELECT value FROM json_each(?))

-- name: expired_values
SELECT json_group_array(json_array(namespace, key)) FROM (
    SELECT namespace, key FROM kv INDEXED BY kv_expires WHERE expires_us IS NOT NULL AND expires_us <= ? LIMIT ?
)

-- name: remove_values
DELETE FROM kv
WHERE (namespace, key) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))
  AND expires_us <= ?

-- name: old_hours
SELECT json_group_array(json_array(hook, hour)) FROM (SELECT hook, hour FROM hook_hours WHERE hour < ? LIMIT ?)

-- name: remove_hour
DELETE FROM hook_hours WHERE hook = ? AND hour = ?
