//! The command line, held to what it promises: the real program as a process, asking a real broker.
//! A module for each group of commands.

#![allow(clippy::unwrap_used, reason = "a test that can't go on panics")]

mod access;
mod answers;
mod backup;
mod broker;
mod damage;
mod dead_letters;
mod foreign;
mod https;
mod messages;
mod publish;
mod queues;
mod receive;
mod redrives;
mod serving;
mod tables;
mod tail;
mod terminal;
mod topics;
mod unanswered;
mod variables;
mod verify;
