//! The broker alone, under load and in trouble; the program `kills` does the same for longer.

use system_tests::{
    kills::{Figures, Plan, SmallDisk, Trouble, run},
    skip::skip,
};

/// Any seed: a failure names it.
async fn account(trouble: Trouble, rounds: u32) -> Figures {
    let (folder, seed) = (tempfile::tempdir().unwrap(), rand::random());
    let figures = run(Plan { trouble, rounds, seed }, folder.path(), folder.path()).await;
    figures.unwrap_or_else(|error| panic!("{trouble}, seed {seed}: {error:#}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_loses_nothing_and_does_nothing_twice() {
    println!("{}", account(Trouble::Kills, 8).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_still_for_longer_than_the_leases_it_lets_no_old_receipt_act() {
    println!("{}", account(Trouble::Pauses, 1).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_fails_ends_it_and_loses_nothing() {
    println!("{}", account(Trouble::FailedWrites, 2).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_disk_that_fills_up_publishes_are_refused_and_the_rest_goes_on() {
    let disk = match SmallDisk::mount("128m") {
        Ok(disk) => disk,
        Err(why) => return skip("on_a_disk_that_fills_up", &format!("{why:#}")),
    };
    let (logs, seed) = (tempfile::tempdir().unwrap(), rand::random());
    let plan = Plan { trouble: Trouble::FullDisk, rounds: 2, seed };
    let figures = run(plan, disk.path(), logs.path()).await;
    println!("{}", figures.unwrap_or_else(|error| panic!("seed {seed}: {error:#}")));
}
