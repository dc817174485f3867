-- The sandbox gateway's own file: another company's books.

-- What was carried out, one line an operation; a declined authorization stands here too, for the
-- reference is closed by it, but nothing was done to the money and nobody is shown it.
CREATE TABLE ledger (
    seq             INTEGER PRIMARY KEY,
    at              INTEGER NOT NULL, -- milliseconds since 1970
    reference       TEXT NOT NULL,
    operation       TEXT NOT NULL CHECK (operation IN ('authorize', 'capture', 'void', 'refund', 'decline')),
    order_id        TEXT NOT NULL,
    amount          INTEGER NOT NULL, -- minor units
    currency        TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    reason          TEXT, -- of a decline
    UNIQUE (reference, operation)
) STRICT;

-- How often a method that fails at first has failed.
CREATE TABLE failure (
    reference TEXT PRIMARY KEY,
    times     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The outage that is played: one row.
CREATE TABLE mode (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    mode TEXT NOT NULL CHECK (mode IN ('up', 'down', 'slow'))
) STRICT;

INSERT INTO mode VALUES (1, 'up');
