-- What a service says: a row is written with the effect that it tells of, and goes by the relay.
--   waiting:   published_at null, set_aside_at null      (claimed while claimed_until is in the future)
--   published: published_at set                          (kept for a time, then removed)
--   set aside: published_at null, set_aside_at set       (refused for good; holds its key)
-- All times are milliseconds since 1970.
CREATE TABLE outbox (
    position      INTEGER PRIMARY KEY AUTOINCREMENT,
    topic         TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    key           TEXT,
    written_at    INTEGER NOT NULL,
    claimed_until INTEGER NOT NULL DEFAULT 0,
    claim         TEXT,
    published_at  INTEGER,
    set_aside_at  INTEGER,
    error         TEXT,
    event         BLOB    NOT NULL
) STRICT;
CREATE INDEX outbox_unpublished ON outbox (position) WHERE published_at IS NULL;
CREATE INDEX outbox_unpublished_by_key ON outbox (key, position) WHERE published_at IS NULL AND key IS NOT NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;
CREATE INDEX outbox_set_aside ON outbox (set_aside_at) WHERE set_aside_at IS NOT NULL;

-- What a consumer has heard: written with the effect, so that a second delivery has none.
CREATE TABLE inbox (
    consumer TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    heard_at INTEGER NOT NULL,
    PRIMARY KEY (consumer, source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_heard ON inbox (heard_at);
