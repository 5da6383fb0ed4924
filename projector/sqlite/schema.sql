-- The read model: what the API reads, made from the stream alone.
--
-- The schema is never migrated: what has another one, or is of another version of
-- the projection, is built anew from the stream. Times are RFC 3339 in UTC in
-- the fraction they were given, empty where there is none, unless a column says
-- otherwise. Ids of orders are sequential, so that the tables and indexes grow at
-- their end; the text key of an order is looked up once for each batch.

PRAGMA user_version = 3;  -- the number of the schema: goes up with every change of it

-- The first table, so that its page is among the first: the look at a write-ahead
-- log that a crash has left depends on that, see walcheck.go.
CREATE TABLE projection (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    version           INTEGER NOT NULL,  -- of the projection that built this file
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
    last_seen_at    INTEGER NOT NULL,     -- of the last applied webhook, Unix nanoseconds
    stream_sequence INTEGER NOT NULL,     -- of the last applied webhook
    document        TEXT    NOT NULL,     -- the whole folded order, JSON
    UNIQUE (source, key)
) STRICT;

CREATE UNIQUE INDEX orders_by_update ON orders (stream_sequence);
CREATE INDEX orders_by_state         ON orders (state, stream_sequence);
CREATE INDEX orders_by_store         ON orders (store_id, stream_sequence) WHERE store_id <> '';
CREATE INDEX orders_by_problem       ON orders (stream_sequence) WHERE problem <> '';

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
    PRIMARY KEY (minute, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE duration_tallies (
    source TEXT    NOT NULL,
    state  TEXT    NOT NULL,
    class  INTEGER NOT NULL,  -- of the time spent in the state, see domain.DurationClass
    orders INTEGER NOT NULL,
    PRIMARY KEY (source, state, class)
) STRICT, WITHOUT ROWID;
