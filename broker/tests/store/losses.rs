//! What is lost by a limit is told in the program's log.

use std::fs;

use reqwest::Method;
use serde_json::json;

use crate::program::Program;

#[tokio::test]
async fn dead_letters_that_are_dropped_for_their_number_are_told_in_the_log_with_queue_count_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let program = Program::start_logging(&folder.path().join("data"), &log);
    let caller = program.caller();
    let call = async |method, path: &str, body| caller.call(method, path, body).await.unwrap();
    call(Method::PUT, "/queues/jobs", json!({"max_dead_letters": 1})).await;
    for _ in 0..4 {
        call(Method::POST, "/queues/jobs/messages", json!({})).await;
        let received = call(Method::POST, "/queues/jobs/receive", json!({})).await;
        let nack = json!({"receipts": [received["deliveries"][0]["receipt"]], "dead_letter": true});
        call(Method::POST, "/queues/jobs/nack", nack).await;
    }
    // By hand it is no loss.
    call(Method::POST, "/queues/jobs/dead-letters/purge", json!({})).await;
    assert!(program.terminate().success());
    let log = fs::read_to_string(log).unwrap();
    let told: Vec<_> = log.lines().filter(|line| line.contains("dead letters were dropped")).collect();
    let count = |line: &&str| line.split("count=").nth(1)?.split(' ').next()?.parse::<u32>().ok();
    assert_eq!(told.iter().filter_map(count).sum::<u32>(), 3, "{log}");
    assert!(told.iter().all(|line| line.contains("jobs") && line.contains("max_dead_letters")), "{log}");
    assert!(told.len() <= 2, "at once, and what is left at the end: {log}");
}
