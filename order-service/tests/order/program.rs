//! The program itself: what it prints, how it ends, what a kill leaves.

use std::{path::Path, process::Stdio, time::Duration};

use reqwest::{Client, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::{
    broker_at::PATIENCE,
    shop::{NO_BROKER, good_order},
};

/// A running program.
struct Program {
    child: Child,
    printed: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Program {
    async fn start(folder: &Path) -> Self {
        let mut child = command(&["--listen", "127.0.0.1:0", "--broker-url", NO_BROKER, "--data"])
            .arg(folder)
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = timeout(PATIENCE, printed.next_line()).await.unwrap().unwrap().unwrap();
        let url = first.strip_prefix("order-service ").unwrap().to_owned();
        assert_eq!(timeout(PATIENCE, printed.next_line()).await.unwrap().unwrap().unwrap(), "ready");
        Self { child, printed, url }
    }

    async fn place(&self) -> String {
        let request = Client::new().post(format!("{}/orders", self.url)).header("idempotency-key", "k");
        let response = request.json(&good_order()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        response.text().await.unwrap()
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_order-service"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    for variable in ["LISTEN", "DATA", "BROKER_URL", "DEADLINE", "LOG", "LOG_FORMAT"] {
        command.env_remove(variable);
    }
    command
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let folder = TempDir::new().unwrap();
    let mut program = Program::start(folder.path()).await;
    let answer = program.place().await;
    program.child.kill().await.unwrap();
    let program = Program::start(folder.path()).await;
    let order: Value = serde_json::from_str(&answer).unwrap();
    let shown =
        reqwest::get(format!("{}/orders/{}", program.url, order["id"].as_str().unwrap())).await.unwrap();
    assert_eq!(shown.json::<Value>().await.unwrap(), order);
    assert_eq!(program.place().await, answer);
    let outbox: Value = reqwest::get(format!("{}/outbox", program.url)).await.unwrap().json().await.unwrap();
    assert_eq!(outbox["depth"], 1);
}

#[tokio::test]
async fn it_stops_cleanly_when_it_is_told_to() {
    let folder = TempDir::new().unwrap();
    let mut program = Program::start(folder.path()).await;
    let id = Pid::from_raw(i32::try_from(program.child.id().unwrap()).unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    let ended = timeout(Duration::from_secs(15), program.child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(program.printed.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn a_wrong_setting_ends_it_at_once_with_2() {
    for wrong in [&["--deadline", "soon"][..], &["--colour", "red"], &["--listen", "nowhere"]] {
        let output = command(wrong).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_ends_it_with_1() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = TempDir::new().unwrap();
    let output = command(&["--listen", &address, "--data"]).arg(folder.path()).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
}
