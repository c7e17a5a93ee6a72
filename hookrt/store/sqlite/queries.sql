-- Every statement on the hot path and every query, by name. `{rows:N}` stands for rows of N values each: the program
-- puts as many there as it has (see statements.py). A query about many rows answers with one row of JSON, since each row
-- that is fetched gives up the interpreter lock once more. A `part` goes where its name stands in braces.

-- part: event
e.id, e.source, e.type, e.subject, e.time_us, e.received_us, e.content_type, e.binary, e.attributes, e.cause, e.depth,
e.content

-- part: delivery
d.id, d.hook, d.lane, d.status, d.created_us, d.due_us, d.expires_us, d.origin, d.results, d.attempts, d.step_attempts,
d.failed_steps, d.reason, d.updated_us, d.order_key, d.replay_of, d.salt, d.lease_token,
iif(d.step_attempts > 0, (SELECT a.step FROM attempts AS a WHERE a.delivery_seq = d.seq AND a.number = d.attempts), NULL),
d.event_seq, d.seq, e.source, e.id

-- part: filters
(:event_source IS NULL OR e.source = :event_source) AND (:event_id IS NULL OR e.id = :event_id)
  AND (:since IS NULL OR d.created_us >= :since) AND (:until IS NULL OR d.created_us < :until)
  AND (:reason IS NULL OR d.reason = :reason)

-- Saving --------------------------------------------------------------------------------------------------------------

-- name: last_seqs
-- The highest numbers given so far, and whether any hook is disabled. Other processes write too, so that this is asked
-- anew in every transaction.
SELECT (SELECT coalesce(max(seq), 0) FROM events), (SELECT coalesce(max(seq), 0) FROM deliveries),
       EXISTS (SELECT 1 FROM hook_states INDEXED BY hook_states_disabled WHERE disabled = 1)

-- name: find_events
-- Which of these (source, id) are stored already.
WITH wanted (source, id) AS (VALUES {rows:2})
SELECT json_group_array(json_array(e.source, e.id, e.seq, hex(e.digest)))
FROM wanted CROSS JOIN events AS e ON e.id = wanted.id AND e.source = wanted.source

-- name: insert_events
INSERT INTO events (seq, id, source, type, subject, time_us, received_us, content_type, binary, attributes, digest,
                    cause, depth, content)
VALUES {rows:14}

-- name: insert_deliveries
INSERT INTO deliveries (seq, event_seq, id, hook, origin, lane, status, due_us, created_us, updated_us, expires_us,
                        results, order_key, replay_of, salt, lease_owner, lease_token, lease_until_us)
VALUES {rows:18}

-- name: first_deliveries
-- The ids of the deliveries that an event was saved with, for the answer to a duplicate.
SELECT id FROM deliveries WHERE event_seq = ? AND replay_of IS NULL ORDER BY seq

-- name: event_seq
-- An event to which a delivery can be added: its payload is there.
SELECT seq FROM events WHERE id = ? AND source = ? AND (length(content) > 0 OR binary = 1)

-- Recording -----------------------------------------------------------------------------------------------------------

-- name: find_leased
-- Of these (number, delivery, token), those whose token is the present one.
WITH wanted (n, id, token) AS (VALUES {rows:3})
SELECT json_group_array(json_array(wanted.n, d.seq, d.origin, d.hook, d.order_key))
FROM wanted CROSS JOIN deliveries AS d ON d.id = wanted.id
WHERE d.status = 'running' AND d.lease_token = wanted.token

-- name: update_deliveries
WITH new (seq, status, lane, due_us, updated_us, results, attempts, step_attempts, failed_steps, reason,
          lease_owner, lease_token, lease_until_us) AS (VALUES {rows:13})
UPDATE deliveries
SET status = new.status, lane = new.lane, due_us = new.due_us, updated_us = new.updated_us,
    results = deliveries.results || new.results, attempts = new.attempts, step_attempts = new.step_attempts,
    failed_steps = new.failed_steps, reason = new.reason, lease_owner = new.lease_owner,
    lease_token = new.lease_token, lease_until_us = new.lease_until_us
FROM new
WHERE deliveries.seq = new.seq

-- name: insert_attempts
-- An attempt with the number of a stored one takes its place, so that a wrong count can never block a delivery.
INSERT OR REPLACE INTO attempts (delivery_seq, number, step, started_us, duration_us, outcome, reason, message, logs,
                                 exchange)
VALUES {rows:10}

-- Counting ------------------------------------------------------------------------------------------------------------

-- name: add_to_tallies
WITH change (status, n) AS (VALUES {rows:2})
UPDATE tallies SET n = tallies.n + change.n FROM change WHERE tallies.status = change.status

-- name: add_to_hook_tallies
INSERT INTO hook_tallies (origin, hook, open, held) VALUES {rows:4}
ON CONFLICT (origin, hook) DO UPDATE SET open = open + excluded.open, held = held + excluded.held

-- name: add_to_hook_hours
INSERT INTO hook_hours (hook, hour, succeeded, dead, attempts, last_success_us, last_failure_us) VALUES {rows:7}
ON CONFLICT (hook, hour) DO UPDATE
SET succeeded = succeeded + excluded.succeeded, dead = dead + excluded.dead, attempts = attempts + excluded.attempts,
    last_success_us = max(last_success_us, excluded.last_success_us),
    last_failure_us = max(last_failure_us, excluded.last_failure_us)

-- name: tallies
SELECT status, n FROM tallies

-- name: hook_hours
SELECT coalesce(sum(succeeded), 0), coalesce(sum(dead), 0), coalesce(sum(attempts), 0),
       coalesce(max(last_success_us), 0), coalesce(max(last_failure_us), 0)
FROM hook_hours WHERE hook = ? AND hour >= ?

-- name: hook_open
SELECT coalesce(sum(open), 0), coalesce(sum(held), 0) FROM hook_tallies WHERE hook = ?

-- name: busy_hooks
-- The hooks of a provider that have deliveries which are not final.
SELECT origin, hook FROM hook_tallies WHERE origin = ? AND (open > 0 OR held > 0)

-- Claiming ------------------------------------------------------------------------------------------------------------

-- name: next_lanes
-- The distinct lanes with open deliveries, from one on, in order: a skip from lane to lane through the index, so that
-- a lane with a million rows costs one step.
WITH RECURSIVE lanes (lane) AS (
    SELECT min(lane) FROM deliveries INDEXED BY deliveries_due
    WHERE status IN ('pending', 'waiting') AND blocked = 0 AND lane >= ?
    UNION ALL
    SELECT (SELECT min(d.lane) FROM deliveries AS d INDEXED BY deliveries_due
            WHERE d.status IN ('pending', 'waiting') AND d.blocked = 0 AND d.lane > lanes.lane)
    FROM lanes WHERE lanes.lane IS NOT NULL
    LIMIT ?
)
SELECT lane FROM lanes WHERE lane IS NOT NULL

-- name: due_in_lane
-- The oldest due deliveries of one lane.
SELECT due_us, seq FROM deliveries INDEXED BY deliveries_due
WHERE status IN ('pending', 'waiting') AND blocked = 0 AND lane = ? AND due_us <= ?
ORDER BY due_us, seq LIMIT ?

-- name: expired_leases
-- What others held until a time that is past. An owner never claims what it holds itself.
SELECT lane, due_us, seq FROM deliveries INDEXED BY deliveries_leased
WHERE status = 'running' AND lease_until_us <= ? AND lease_owner IS NOT ?
ORDER BY due_us, seq

-- name: deliveries_by_seq
-- Deliveries with their events, in the order of a JSON list of numbers.
SELECT {delivery}, {event}
FROM json_each(?) AS wanted CROSS JOIN deliveries AS d ON d.seq = wanted.value JOIN events AS e ON e.seq = d.event_seq

-- name: lease_deliveries
-- Leases what is still as it was when it was chosen.
WITH new (seq, old_status, old_token, old_lane, due_us, now, owner, token, until_us) AS (VALUES {rows:9})
UPDATE deliveries
SET status = 'running', updated_us = new.now, lease_owner = new.owner, lease_token = new.token,
    lease_until_us = new.until_us
FROM new
WHERE deliveries.seq = new.seq AND deliveries.status = new.old_status AND deliveries.lease_token = new.old_token
  AND deliveries.lane = new.old_lane AND deliveries.due_us = new.due_us AND deliveries.lease_until_us <= new.now
  AND deliveries.blocked = 0

-- name: find_newly_leased
WITH wanted (n, seq, token) AS (VALUES {rows:3})
SELECT json_group_array(json_array(wanted.n)) FROM wanted CROSS JOIN deliveries AS d ON d.seq = wanted.seq
WHERE d.status = 'running' AND d.lease_token = wanted.token

-- name: next_due
SELECT min(due_us) FROM deliveries INDEXED BY deliveries_next
WHERE status IN ('pending', 'waiting') AND blocked = 0 AND due_us > ?

-- name: next_expiry
SELECT min(lease_until_us) FROM deliveries INDEXED BY deliveries_leased
WHERE status = 'running' AND lease_until_us > ?

-- Leases --------------------------------------------------------------------------------------------------------------

-- name: renew_leases
UPDATE deliveries SET lease_until_us = ?2
WHERE seq IN (SELECT seq FROM deliveries INDEXED BY deliveries_leased WHERE status = 'running' AND lease_owner = ?1)

-- name: leased
-- What is leased to one owner, or to anybody.
SELECT seq, origin, hook, step_attempts FROM deliveries INDEXED BY deliveries_leased
WHERE status = 'running' AND (?1 IS NULL OR lease_owner = ?1)

-- name: end_leases
WITH new (seq, status, now) AS (VALUES {rows:3})
UPDATE deliveries
SET status = new.status, due_us = min(deliveries.due_us, new.now), updated_us = new.now, lease_owner = NULL,
    lease_token = 0, lease_until_us = 0
FROM new WHERE deliveries.seq = new.seq

-- Changing one, or some ------------------------------------------------------------------------------------------------

-- name: state_of
SELECT seq, origin, hook, status FROM deliveries WHERE id = ?

-- name: make_due
UPDATE deliveries SET due_us = min(due_us, ?), updated_us = ? WHERE seq = ?

-- name: cancel
UPDATE deliveries
SET status = 'cancelled', reason = ?, updated_us = ?, lease_owner = NULL, lease_token = 0, lease_until_us = 0
WHERE seq = ?

-- name: unleased_of_hook
-- What a hook has that is not final and not leased, after a number.
SELECT seq, lane, results FROM deliveries INDEXED BY deliveries_unleased
WHERE status IN ('pending', 'waiting', 'held') AND hook = ? AND origin = ? AND seq > ?
ORDER BY seq LIMIT ?

-- name: held_for
-- What has been held for a reason since before a time, after a number.
SELECT seq FROM deliveries INDEXED BY deliveries_status
WHERE status = 'held' AND status <> 'running' AND seq > ? AND reason = ? AND updated_us < ?
ORDER BY seq LIMIT ?

-- name: present_states
-- What is about to change, as it is now.
SELECT d.seq, d.origin, d.hook, d.status, d.reason
FROM json_each(?) AS wanted CROSS JOIN deliveries AS d ON d.seq = wanted.value

-- name: move_deliveries
-- What was held lives as much longer.
WITH new (seq, status, reason, lane, due_us, updated_us) AS (VALUES {rows:6})
UPDATE deliveries
SET status = new.status, reason = new.reason, lane = coalesce(new.lane, deliveries.lane),
    due_us = min(deliveries.due_us, new.due_us), updated_us = new.updated_us,
    expires_us = deliveries.expires_us + iif(deliveries.status = 'held' AND new.status = 'pending',
                                             max(new.updated_us - deliveries.updated_us, 0), 0)
FROM new WHERE deliveries.seq = new.seq

-- name: relane
WITH new (seq, lane) AS (VALUES {rows:2})
UPDATE deliveries SET lane = new.lane
FROM new WHERE deliveries.seq = new.seq AND deliveries.status IN ('pending', 'waiting', 'held')

-- What people ask for -------------------------------------------------------------------------------------------------

-- name: event
SELECT {event}, e.seq FROM events AS e WHERE e.id = ? AND e.source = ?

-- name: events_newest
SELECT {event}, e.seq FROM events AS e NOT INDEXED
WHERE e.seq < :before AND (:source IS NULL OR e.source = :source)
  AND (:since IS NULL OR e.received_us >= :since) AND (:until IS NULL OR e.received_us < :until)
ORDER BY e.seq DESC LIMIT :limit

-- name: events_of_type
SELECT {event}, e.seq FROM events AS e INDEXED BY events_type
WHERE e.type = :type AND e.seq < :before AND (:source IS NULL OR e.source = :source)
  AND (:since IS NULL OR e.received_us >= :since) AND (:until IS NULL OR e.received_us < :until)
ORDER BY e.seq DESC LIMIT :limit

-- name: events_with_id
SELECT {event}, e.seq FROM events AS e INDEXED BY events_identity
WHERE e.id = :id AND e.seq < :before AND (:source IS NULL OR e.source = :source)
  AND (:type IS NULL OR e.type = :type)
  AND (:since IS NULL OR e.received_us >= :since) AND (:until IS NULL OR e.received_us < :until)
ORDER BY e.seq DESC LIMIT :limit

-- name: delivery
SELECT {delivery}, {event} FROM deliveries AS d JOIN events AS e ON e.seq = d.event_seq WHERE d.id = ?

-- name: deliveries_of_event
SELECT {delivery} FROM deliveries AS d INDEXED BY deliveries_event JOIN events AS e ON e.seq = d.event_seq
WHERE d.event_seq = ? ORDER BY d.seq

-- name: list_newest
SELECT {delivery} FROM deliveries AS d NOT INDEXED CROSS JOIN events AS e ON e.seq = d.event_seq
WHERE d.seq < :before AND {filters} ORDER BY d.seq DESC LIMIT :limit

-- name: list_of_hook
SELECT {delivery} FROM deliveries AS d INDEXED BY deliveries_hook CROSS JOIN events AS e ON e.seq = d.event_seq
WHERE d.hook = :hook AND d.seq < :before AND (:status IS NULL OR d.status = :status) AND {filters}
ORDER BY d.seq DESC LIMIT :limit

-- name: list_unleased_of_hook
SELECT {delivery} FROM deliveries AS d INDEXED BY deliveries_unleased CROSS JOIN events AS e ON e.seq = d.event_seq
WHERE d.status IN ('pending', 'waiting', 'held') AND d.hook = :hook AND d.status = :status AND d.seq < :before
  AND {filters}
ORDER BY d.seq DESC LIMIT :limit

-- name: list_in_status
SELECT {delivery} FROM deliveries AS d INDEXED BY deliveries_status CROSS JOIN events AS e ON e.seq = d.event_seq
WHERE d.status = :status AND d.status <> 'running' AND d.seq < :before AND (:hook IS NULL OR d.hook = :hook)
  AND {filters}
ORDER BY d.seq DESC LIMIT :limit

-- name: list_running
SELECT {delivery} FROM deliveries AS d INDEXED BY deliveries_leased CROSS JOIN events AS e ON e.seq = d.event_seq
WHERE d.status = 'running' AND d.seq < :before AND (:hook IS NULL OR d.hook = :hook) AND {filters}
ORDER BY d.seq DESC LIMIT :limit

-- name: list_of_event
SELECT {delivery} FROM events AS e INDEXED BY events_identity
CROSS JOIN deliveries AS d INDEXED BY deliveries_event ON d.event_seq = e.seq
WHERE e.id = :event_id AND (:hook IS NULL OR d.hook = :hook) AND (:status IS NULL OR d.status = :status)
  AND d.seq < :before AND {filters}
ORDER BY d.seq DESC LIMIT :limit

-- name: attempts
SELECT a.number, a.step, a.started_us, a.duration_us, a.outcome, a.reason, a.message, a.logs, a.exchange
FROM deliveries AS d CROSS JOIN attempts AS a ON a.delivery_seq = d.seq
WHERE d.id = ? ORDER BY a.number

-- Small memory --------------------------------------------------------------------------------------------------------

-- name: get
SELECT value FROM kv WHERE namespace = ? AND key = ? AND (expires_us IS NULL OR expires_us > ?)

-- name: put
INSERT OR REPLACE INTO kv (namespace, key, value, expires_us) VALUES (?, ?, ?, ?)

-- name: delete
DELETE FROM kv WHERE namespace = ? AND key = ?

-- name: count_values
SELECT count(*) FROM kv WHERE namespace = ? AND (expires_us IS NULL OR expires_us > ?)

-- name: delete_expired
DELETE FROM kv WHERE expires_us IS NOT NULL AND expires_us <= ?
