-- One row an order: what was heard of it, and how its money stands. `payment.rs` draws the states.
CREATE TABLE payments (
    order_id  TEXT PRIMARY KEY,
    amount    INTEGER NOT NULL, -- minor units
    currency  TEXT NOT NULL,
    customer  TEXT NOT NULL,    -- JSON: who is told
    method    TEXT,             -- null, like reference, until order.placed was heard
    reference TEXT,
    confirmed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    status    TEXT NOT NULL,
    intent    TEXT,             -- what was or is to be asked of the gateway and is not known to have ended
    due_at    INTEGER NOT NULL, -- when the sweeper may take the intent up: milliseconds since 1970
    cause     TEXT NOT NULL,    -- JSON: the event that what is announced follows from
    attempts  TEXT NOT NULL     -- JSON: the calls of the gateway, oldest first
) STRICT, WITHOUT ROWID;

CREATE INDEX payments_open ON payments (order_id) WHERE intent IS NOT NULL;
