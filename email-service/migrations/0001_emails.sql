-- What was sent. One mail an order and kind; the message is kept as it went out.
CREATE TABLE emails (
    seq       INTEGER PRIMARY KEY,
    id        TEXT    NOT NULL UNIQUE,
    order_id  TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    recipient TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    sent_at   INTEGER NOT NULL, -- milliseconds since 1970, UTC
    message   BLOB    NOT NULL,
    UNIQUE (order_id, kind)
) STRICT;
