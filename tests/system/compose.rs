//! `docker compose up` from this source: real engine, real containers.

use std::{path::Path, time::Duration};

use serde_json::json;
use system_tests::{
    http::get,
    programs::run,
    shop::Shop,
    skip::{skip, works},
};
use tokio::process::Command;

/// The compose file's project, taken down with its volumes when dropped.
struct Compose {
    command: Vec<&'static str>,
    project: String,
}

impl Compose {
    async fn run(&self, arguments: &[&str], limit: Duration) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut command = Command::new(self.command[0]);
        command.args(&self.command[1..]).args(["--project-name", &self.project]).args(arguments);
        let output = command.current_dir(root).kill_on_drop(true).output();
        let output = tokio::time::timeout(limit, output).await.expect("compose within its time").unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        assert!(output.status.success(), "docker compose {arguments:?}: {printed}");
        printed
    }

    /// Kills the main process of a service's container from the host, as a crash would end it.
    async fn kill(&self, service: &str) {
        let container = self.run(&["ps", "--quiet", service], Duration::from_secs(30)).await;
        let inspect = ["inspect", "--format", "{{.State.Pid}}", container.trim()];
        let output = Command::new("docker").args(inspect).output().await.unwrap();
        let init: i32 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        let init = rustix::process::Pid::from_raw(init).unwrap();
        rustix::process::kill_process(init, rustix::process::Signal::KILL).unwrap();
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut down = std::process::Command::new(self.command[0]);
        down.args(&self.command[1..]).args(["--project-name", &self.project, "down", "--volumes"]);
        let _ = down.current_dir(root).output();
    }
}

fn compose() -> Option<Vec<&'static str>> {
    let found = [vec!["docker", "compose"], vec!["docker-compose"]];
    let mut found =
        found.into_iter().filter(|command| works(command[0], &[&command[1..], &["version"]].concat()));
    works("docker", &["info"]).then(|| found.next()).flatten()
}

#[tokio::test]
async fn in_containers_orders_are_confirmed_dead_letters_redriven_and_kills_survived() {
    let Some(command) = compose() else {
        return skip(
            "in_containers_orders_are_confirmed_dead_letters_redriven_and_kills_survived",
            "no Docker engine with compose answers",
        );
    };
    let compose = Compose { command, project: format!("order-pipeline-test-{}", std::process::id()) };
    // An image that is there already may be of an older source.
    let _printed = compose.run(&["up", "--detach", "--build"], Duration::from_secs(2400)).await;
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let shop = Shop {
        broker: url(7070),
        orders: url(7071),
        inventory: url(7072),
        payments: url(7073),
        emails: url(7074),
        analytics: url(7075),
    };
    for server in [&shop.broker, &shop.orders, &shop.inventory, &shop.payments, &shop.emails, &shop.analytics]
    {
        system_tests::eventually::eventually(&format!("{server} to be ready"), async || {
            get(&format!("{server}/readyz")).await.map_err(|error| format!("{error:#}"))
        })
        .await;
    }

    let id = shop.place("pm_card_visa").await.unwrap();
    shop.until(&id, "confirmed").await;

    shop.gateway("down").await.unwrap();
    let waits = shop.place("pm_card_visa").await.unwrap();
    let dead = shop.until_dead("payment.orders", &waits).await;
    assert_eq!(dead["history"].as_array().unwrap().len(), 3, "{dead}");
    shop.gateway("up").await.unwrap();
    shop.redrive("payment.orders").await.unwrap();
    shop.until(&waits, "confirmed").await;

    let mut orders = Vec::new();
    for victim in ["broker", "payment-service"] {
        for _ in 0..10 {
            orders.push(
                shop.place_lines("pm_card_visa", &json!([{"sku": "mug", "quantity": 1}])).await.unwrap(),
            );
        }
        compose.kill(victim).await;
    }
    for order in &orders {
        shop.until(order, "confirmed").await;
    }
    let arguments = ["check", "--strict", "--wait", "60s", "--port", shop.port()];
    let (status, printed) = run("pipeline", &arguments, Duration::from_secs(120)).await.unwrap();
    assert!(status.success(), "{printed}");
}
