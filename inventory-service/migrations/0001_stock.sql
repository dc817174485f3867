-- The stock of each SKU, in pieces. Always: received = on_hand + committed, and what is available,
-- on_hand - reserved, is never negative.
CREATE TABLE stock (
    sku       TEXT PRIMARY KEY,
    on_hand   INTEGER NOT NULL,
    reserved  INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    received  INTEGER NOT NULL,
    committed INTEGER NOT NULL DEFAULT 0 CHECK (committed >= 0),
    CHECK (on_hand >= reserved),
    CHECK (received = on_hand + committed)
) STRICT, WITHOUT ROWID;

-- The shop's catalogue as it starts.
INSERT INTO stock (sku, on_hand, received) VALUES
    ('coffee-beans', 1000000, 1000000),
    ('grinder', 1000000, 1000000),
    ('mug', 1000000, 1000000);

-- One row an order that was heard of. `reservation.rs` draws the states.
CREATE TABLE reservations (
    order_id TEXT PRIMARY KEY,
    state    TEXT NOT NULL,
    lines    TEXT NOT NULL -- JSON: [{"sku","quantity"}], what the order asked for
) STRICT, WITHOUT ROWID;
