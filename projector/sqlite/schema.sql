-- The read model: what the API reads, made from the stream alone.
--
-- The schema is never migrated: what has another one, or is of another version of
-- the projection, is built anew from the stream. Times are RFC 3339 in UTC in
-- the fraction they were given, empty where there is none, unless a column says
-- otherwise. Ids of orders are sequential, so that the tables and indexes grow at
-- their end; the text key of an order is looked up once for each batch.

PRAGMA user_version = 4;  -- the number of the schema: goes up with every change of it

-- The first table, so that its page is among the first: the look at a write-ahead
-- log that a crash has left depends on that, see walcheck.go.
CREATE TABLE projection (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    version           INTEGER NOT NULL,  -- of the projection that built this file
    mappings          TEXT    NOT NULL,  -- by which it read webhooks, of each provider that is not built in
    stream            TEXT    NOT NULL,  -- name of the stream, empty before the first commit
    stream_created_at TEXT    NOT NULL,
    checkpoint        INTEGER NOT NULL,  -- last stream sequence whose effects are here
    chain             BLOB    NOT NULL,  -- digest of the stream up to the checkpoint
    previous_chain    BLOB    NOT NULL,  -- digest before the webhook at the checkpoint
    applied           INTEGER NOT NULL,
    duplicate         INTEGER NOT NULL,
    not_about_order   INTEGER NOT NULL,
    quarantined       INTEGER NOT NULL,
    CHECK (applied + duplicate + not_about_order + quarantined = checkpoint)
) STRICT;

CREATE TABLE orders (
    id              INTEGER PRIMARY KEY,  -- from 1, in order of first appearance
    source          TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    state           TEXT    NOT NULL,     -- the headline
    store_id        TEXT    NOT NULL,     -- empty where there is none
    reference       TEXT    NOT NULL,     -- empty where there is none
    problem         TEXT    NOT NULL,     -- empty where there is none
    waiting_since   INTEGER NOT NULL,     -- when the webhook came that brought the state, Unix nanoseconds; 0 where nothing more is waited for
    updated_at      INTEGER NOT NULL,     -- when the stream took the last applied webhook, Unix nanoseconds
    stream_sequence INTEGER NOT NULL,     -- of the last applied webhook
    document        TEXT    NOT NULL,     -- the whole folded order, JSON
    UNIQUE (source, key)
) STRICT;

CREATE UNIQUE INDEX orders_by_update ON orders (stream_sequence);
CREATE INDEX orders_by_state         ON orders (state, stream_sequence);
CREATE INDEX orders_by_store         ON orders (store_id, stream_sequence) WHERE store_id <> '';
CREATE INDEX orders_by_problem       ON orders (stream_sequence) WHERE problem <> '';
CREATE INDEX orders_by_wait          ON orders (source, state, waiting_since) WHERE waiting_since > 0; -- few have not ended

CREATE TABLE timeline (
    order_id        INTEGER NOT NULL REFERENCES orders (id),
    stream_sequence INTEGER NOT NULL,
    ordinal         INTEGER NOT NULL,  -- 0 the webhook, from 1 what it back-filled
    event           TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    effect          TEXT    NOT NULL,
    note            TEXT    NOT NULL,
    state           TEXT    NOT NULL,  -- the headline after it
    occurred_at     TEXT    NOT NULL,
    received_at     TEXT    NOT NULL,
    PRIMARY KEY (order_id, stream_sequence, ordinal)
) STRICT, WITHOUT ROWID;

-- Where in the stream readers saw an order change, which its timeline tells more of. A
-- table grows at its end, also where the timeline is written order by order; an index
-- of the timeline would have to be sorted then.
CREATE TABLE changes (
    stream_sequence INTEGER PRIMARY KEY,
    order_id        INTEGER NOT NULL REFERENCES orders (id)
) STRICT;

-- Webhook ids are kept for ever, as the heads of two SHA-256 sums: an integer
-- index stays small and flat where one of texts would not.
CREATE TABLE webhook_ids (
    id              INTEGER NOT NULL,  -- of the source and the provider's webhook id
    body            INTEGER NOT NULL,  -- of the body
    stream_sequence INTEGER NOT NULL,  -- where this id first came with this body
    PRIMARY KEY (id, body)
) STRICT, WITHOUT ROWID;

CREATE TABLE proofs (
    number   INTEGER PRIMARY KEY,  -- from 1, in order of first appearance
    order_id INTEGER NOT NULL REFERENCES orders (id),
    id       TEXT    NOT NULL,
    type     TEXT    NOT NULL,     -- media type, found from the bytes
    content  BLOB    NOT NULL,
    UNIQUE (order_id, id)
) STRICT;

CREATE TABLE quarantine (
    stream_sequence INTEGER PRIMARY KEY,
    source          TEXT NOT NULL,
    event           TEXT NOT NULL,
    cause           TEXT NOT NULL,
    place           TEXT NOT NULL,  -- JSON pointer, empty for the whole body
    received_at     TEXT NOT NULL
) STRICT;

CREATE TABLE order_tallies (
    source TEXT    NOT NULL,
    state  TEXT    NOT NULL,
    orders INTEGER NOT NULL CHECK (orders >= 0),
    PRIMARY KEY (source, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE minute_tallies (
    source          TEXT    NOT NULL,
    minute          INTEGER NOT NULL,  -- of receipt, minutes since the Unix epoch
    applied         INTEGER NOT NULL,
    duplicate       INTEGER NOT NULL,
    not_about_order INTEGER NOT NULL,
    quarantined     INTEGER NOT NULL,
    orders          INTEGER NOT NULL,  -- of which nothing was heard before
    PRIMARY KEY (minute, source)
) STRICT, WITHOUT ROWID;

-- The stays of orders in a state that ended of late. They are counted together after every
-- 4096th webhook: to look for three counts with each would make a commit dear.
CREATE TABLE stays (
    stream_sequence INTEGER PRIMARY KEY,  -- of the webhook that ended it
    ended_at        INTEGER NOT NULL,     -- when that was received, Unix seconds
    source          TEXT    NOT NULL,
    store_id        TEXT    NOT NULL,     -- empty where there is none
    state           TEXT    NOT NULL,
    class           INTEGER NOT NULL      -- of the time spent in the state, see domain.DurationClass
) STRICT;

-- Each stay is in up to three counts: in all, in its hour, and in the day of its store. A
-- source has some hundred rows for a busy hour, about what its minutes take. A store's day
-- has at most a row for each stay, mostly a tenth of that, which is a hundredth of what its
-- orders take.
CREATE TABLE duration_tallies (
    span     INTEGER NOT NULL,  -- seconds: 0 for all time, 3600 for an hour, 86400 for a day (UTC) of a store
    start    INTEGER NOT NULL,  -- of the span, Unix seconds, 0 for all time
    source   TEXT    NOT NULL,
    store_id TEXT    NOT NULL,  -- empty but for days of stores
    state    TEXT    NOT NULL,
    class    INTEGER NOT NULL,  -- of the time spent in the state, see domain.DurationClass
    orders   INTEGER NOT NULL,
    PRIMARY KEY (span, start, source, store_id, state, class)
) STRICT, WITHOUT ROWID;

-- All counts, with those that the latest stays will be in.
CREATE VIEW durations AS
SELECT span, start, source, store_id, state, class, orders FROM duration_tallies
UNION ALL
SELECT 0, 0, source, '', state, class, 1 FROM stays
UNION ALL
SELECT 3600, ended_at - ended_at % 3600, source, '', state, class, 1 FROM stays
UNION ALL
SELECT 86400, ended_at - ended_at % 86400, source, store_id, state, class, 1 FROM stays WHERE store_id <> '';

-- The views v_… are for other programs, such as Grafana, and stay as they are when the tables
-- change. Times are Unix seconds. They hold nothing that the list of orders does not show.

CREATE VIEW v_orders AS
SELECT id, source, document ->> '$.provider' AS provider, key, state, store_id, problem,
       document ->> '$.total.value' AS total, document ->> '$.currency.value' AS currency,
       unixepoch(document ->> '$.first_seen_at') AS first_seen_at,
       unixepoch(document ->> '$.last_seen_at') AS last_seen_at,
       unixepoch(document ->> '$.state_since') AS state_since, waiting_since > 0 AS waiting,
       document ->> '$.version' AS version, stream_sequence, updated_at / 1000000000 AS updated_at
FROM orders;

CREATE VIEW v_order_events AS
SELECT t.order_id, o.source, o.key, t.stream_sequence, t.ordinal, t.event, t.status, t.effect, t.state,
       unixepoch(nullif(t.occurred_at, '')) AS occurred_at, unixepoch(t.received_at) AS received_at
FROM timeline AS t JOIN orders AS o ON o.id = t.order_id;

CREATE VIEW v_webhooks_per_minute AS
SELECT minute * 60 AS time, source, applied, duplicate, not_about_order, quarantined, orders AS new_orders
FROM minute_tallies;

-- A row for each count of stays of about one length: seconds is the least that they were,
-- and they were no longer than nine eighths of it.
CREATE VIEW v_time_in_state AS
SELECT CASE span WHEN 0 THEN 'all' WHEN 3600 THEN 'hour' ELSE 'day' END AS span, start AS time, source, store_id, state,
       iif(class < 16, class, (8 + class % 8) << (class / 8 - 1)) / 1000.0 AS seconds, sum(orders) AS orders
FROM durations
GROUP BY durations.span, start, source, store_id, state, class;
