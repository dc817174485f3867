-- Times are milliseconds since 1970 in UTC; money is minor units.

CREATE TABLE products (
    sku      TEXT    NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO products (sku, name, amount, currency) VALUES
    ('coffee-beans', 'Coffee beans, 1 kg', 1899, 'EUR'),
    ('grinder', 'Coffee grinder', 8900, 'EUR'),
    ('mug', 'Mug', 1299, 'EUR');

-- An order with all that belongs to it alone, so that an event costs one read and one write. `number`
-- counts up as orders are placed: lists go by it. What decides (status to deadline) stands first.
CREATE TABLE orders (
    number         INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    status         TEXT    NOT NULL CHECK (status IN ('pending', 'confirmed', 'cancelled')),
    reason         TEXT    CHECK ((reason IS NULL) = (status <> 'cancelled')),
    stock          TEXT    NOT NULL,
    payment        TEXT    NOT NULL,
    deadline       TEXT    NOT NULL,
    -- When a pending order's deadline falls due.
    due_at         INTEGER NOT NULL,
    -- When what is owed to a cancelled order (its compensations) should have been heard of.
    owed_by        INTEGER,
    -- JSON array of what needs a person.
    attention      TEXT    NOT NULL DEFAULT '[]',
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    customer_name  TEXT    NOT NULL,
    customer_email TEXT    NOT NULL,
    -- JSON array, with the prices of the time.
    lines          TEXT    NOT NULL,
    total_amount   INTEGER NOT NULL CHECK (total_amount >= 0),
    total_currency TEXT    NOT NULL,
    payment_method TEXT    NOT NULL,
    -- JSON objects with commas between them, without the brackets: an entry is appended, not rewritten.
    timeline       TEXT    NOT NULL
) STRICT;

CREATE INDEX orders_by_status ON orders (status);
CREATE INDEX orders_by_customer ON orders (customer_email COLLATE NOCASE);
CREATE INDEX orders_by_due ON orders (due_at) WHERE status = 'pending';
CREATE INDEX orders_by_owed ON orders (owed_by) WHERE owed_by IS NOT NULL;
CREATE INDEX orders_by_attention ON orders (number) WHERE attention <> '[]';

-- What was answered under an Idempotency-Key; kept as long as the order.
CREATE TABLE idempotency_keys (
    key         TEXT NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    order_id    TEXT NOT NULL,
    answer      TEXT NOT NULL
) STRICT;
