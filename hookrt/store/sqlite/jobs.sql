-- What jobs need: the same form as queries.sql, whose parts may be used here.

-- part: walked
(:hook IS NULL OR d.hook = :hook) AND (:reason IS NULL OR d.reason = :reason)
  AND (:since IS NULL OR d.created_us >= :since) AND (:until IS NULL OR d.created_us < :until)
  AND (:unreplayed = 0 OR NOT EXISTS (
    SELECT 1 FROM deliveries AS r INDEXED BY deliveries_event WHERE r.event_seq = d.event_seq AND r.replay_of = d.id
))

-- part: event_filters
(length(e.content) > 0 OR e.binary = 1) AND (:source IS NULL OR e.source = :source)
  AND (:since IS NULL OR e.received_us >= :since) AND (:until IS NULL OR e.received_us < :until)
  AND (:without_hook IS NULL OR NOT EXISTS (
    SELECT 1 FROM deliveries AS d INDEXED BY deliveries_event WHERE d.event_seq = e.seq AND d.hook = :without_hook
))

-- name: walk_in_status
-- Deliveries of one status but `running`, up from a number.
SELECT {delivery} FROM deliveries AS d INDEXED BY deliveries_status CROSS JOIN events AS e ON e.seq = d.event_seq
WHERE d.status = :status AND d.status <> 'running' AND d.seq > :after AND d.seq <= :last
  AND {walked}
ORDER BY d.seq LIMIT :limit

-- name: walk_running
SELECT {delivery} FROM deliveries AS d INDEXED BY deliveries_leased CROSS JOIN events AS e ON e.seq = d.event_seq
WHERE d.status = 'running' AND d.seq > :after AND d.seq <= :last
  AND {walked}
ORDER BY d.seq LIMIT :limit

-- name: count_in_status
SELECT count(*) FROM deliveries AS d INDEXED BY deliveries_status
WHERE d.status = :status AND d.status <> 'running' AND d.seq > :after AND d.seq <= :last
  AND {walked}

-- name: count_running
SELECT count(*) FROM deliveries AS d INDEXED BY deliveries_leased
WHERE d.status = 'running' AND d.seq > :after AND d.seq <= :last
  AND {walked}

-- name: walk_events
-- Events up from a number; those of one type have an index.
SELECT {event}, e.seq FROM events AS e NOT INDEXED
WHERE e.seq > :after AND e.seq <= :last AND {event_filters}
ORDER BY e.seq LIMIT :limit

-- name: walk_events_of_type
SELECT {event}, e.seq FROM events AS e INDEXED BY events_type
WHERE e.type = :type AND e.seq > :after AND e.seq <= :last AND {event_filters}
ORDER BY e.seq LIMIT :limit

-- name: count_events
SELECT count(*) FROM events AS e NOT INDEXED WHERE e.seq > :after AND e.seq <= :last AND {event_filters}

-- name: count_events_of_type
SELECT count(*) FROM events AS e INDEXED BY events_type
WHERE e.type = :type AND e.seq > :after AND e.seq <= :last AND {event_filters}

-- name: positions
SELECT (SELECT coalesce(max(seq), 0) FROM events), (SELECT coalesce(max(seq), 0) FROM deliveries)

-- name: insert_job
INSERT INTO jobs (id, kind, status, request, progress, created_us, updated_us) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: forget_jobs
DELETE FROM jobs WHERE status IN ('done', 'cancelled', 'failed') AND updated_us < ?

-- name: job
SELECT id, kind, status, request, progress, created_us, updated_us FROM jobs WHERE id = ?

-- name: jobs_before
SELECT id, kind, status, request, progress, created_us, updated_us FROM jobs
WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2

-- name: jobs_unfinished
SELECT id, kind, status, request, progress, created_us, updated_us FROM jobs
WHERE status IN ('queued', 'running') ORDER BY id

-- name: update_job
UPDATE jobs SET status = ?, progress = ?, updated_us = ? WHERE id = ?
