//! Events over a real broker: what is placed is published, what is said is heard, deadlines act.
