//! The broker's rules as its contract states them, a module a section; time is handed in.

mod bench;
mod dead_letters;
mod declaring;
mod deduplicating;
mod disk;
mod life;
mod limits;
mod looking;
mod model;
mod ordering;
mod publishing;
mod receiving;
mod restarting;
mod settling;
mod topics;
