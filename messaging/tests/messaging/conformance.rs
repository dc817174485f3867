//! Our own broker, held to the suite.
