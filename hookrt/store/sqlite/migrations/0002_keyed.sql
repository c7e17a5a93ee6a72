-- Deliveries by key: who stands behind whom (`order`), and what one event means for the others of its key (`dedupe`,
-- `debounce`, `throttle`).

-- Whether others of the order key may pass this one while it waits for a retry.
ALTER TABLE deliveries ADD COLUMN order_skip INTEGER NOT NULL DEFAULT 0;
-- 0: it may start. 1: it stands behind another one of its order key. 2: it waits for a retry, and others pass it.
ALTER TABLE deliveries ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
-- The key of `debounce`, and when the burst of events began of which this is the last.
ALTER TABLE deliveries ADD COLUMN debounce_key TEXT;
ALTER TABLE deliveries ADD COLUMN burst_us INTEGER NOT NULL DEFAULT 0;

-- What is blocked is not due, so that a claim never looks at it, however much of it there is.
DROP INDEX deliveries_due;
DROP INDEX deliveries_next;
CREATE INDEX deliveries_due ON deliveries (lane, due_us) WHERE status IN ('pending', 'waiting') AND blocked = 0;
CREATE INDEX deliveries_next ON deliveries (due_us) WHERE status IN ('pending', 'waiting') AND blocked = 0;

-- The unfinished of a key: the one with blocked = 0, if any, has the turn; the others follow by number.
CREATE INDEX deliveries_line ON deliveries (hook, order_key, blocked, seq)
WHERE order_key IS NOT NULL AND status IN ('pending', 'running', 'waiting', 'held');
CREATE INDEX deliveries_passed ON deliveries (hook, order_key, due_us)
WHERE blocked = 2 AND status IN ('pending', 'waiting', 'held');
CREATE INDEX deliveries_debounced ON deliveries (hook, debounce_key, seq)
WHERE debounce_key IS NOT NULL AND status IN ('pending', 'held');

-- Since when a key of `dedupe` or `throttle` (the kind) has had its delivery.
CREATE TABLE key_windows (
    hook     TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    PRIMARY KEY (hook, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_windows_until ON key_windows (until_us);
