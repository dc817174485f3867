//! A broker that is asked for ten times what it works on.

use std::time::Duration;

use system_tests::overload::run;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_costs_neither_memory_nor_messages_and_is_over_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(Duration::from_secs(15), folder.path()).await.unwrap();
    println!("{report}");
    assert!(report.faults.is_empty(), "{report}");
}
