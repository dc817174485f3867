-- What was counted since ever. name is placed, confirmed, cancelled, captured, refunded, missed or
-- doubled; detail is the reason or the currency where there is one, else empty.
CREATE TABLE counts (
    name   TEXT    NOT NULL,
    detail TEXT    NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (name, detail)
) STRICT, WITHOUT ROWID;

-- The same by the minute in which it happened (milliseconds since 1970 at its start, UTC).
CREATE TABLE minutes (
    minute    INTEGER PRIMARY KEY,
    placed    INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL
) STRICT;

-- Who receives, and how many events may be in its hands uncounted at a time. A clean stop removes the
-- row; one that stays behind tells of an instance that ended in between, and of what it may have lost.
CREATE TABLE receivers (
    instance TEXT    NOT NULL,
    queue    TEXT    NOT NULL,
    most     INTEGER NOT NULL,
    PRIMARY KEY (instance, queue)
) STRICT, WITHOUT ROWID;
