//! The pipeline with a process a service, so that one can be killed, paused or left out alone.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::{
    programs::{Program, free_ports},
    shop::Shop,
};

/// The services, in the order of the ports that they have in `up`.
pub const SERVICES: [&str; 5] =
    ["order-service", "inventory-service", "payment-service", "email-service", "analytics-service"];

/// Starts a broker alone.
///
/// # Errors
/// When it does not start.
pub async fn broker(folder: &Path) -> anyhow::Result<Program> {
    let data = folder.join("broker");
    Program::start("broker", &["--listen", &free_address(), "--data", text(&data)?], folder).await
}

/// Starts one service. Instances of the same service in the same folder share their data.
///
/// # Errors
/// When it does not start.
pub async fn service(name: &str, broker: &str, folder: &Path) -> anyhow::Result<Program> {
    let data: PathBuf = folder.join(name);
    let arguments = ["--listen", &free_address(), "--data", text(&data)?, "--broker-url", broker];
    Program::start(name, &arguments, folder).await
}

fn free_address() -> String {
    format!("127.0.0.1:{}", free_ports(1))
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a temporary folder has a readable name")
}

/// A broker and the five services, each a process of its own.
#[derive(Debug)]
pub struct Apart {
    /// The broker.
    pub broker: Program,
    /// The services, as in [`SERVICES`].
    pub services: Vec<Program>,
}

impl Apart {
    /// Starts all of them.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let broker = broker(folder).await?;
        let mut services = Vec::new();
        for name in SERVICES {
            services.push(service(name, broker.own_url(), folder).await?);
        }
        Ok(Self { broker, services })
    }

    /// The service of that name.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn service(&mut self, name: &str) -> &mut Program {
        let place = SERVICES.iter().position(|service| *service == name);
        &mut self.services[place.expect("one of SERVICES")]
    }

    /// Where they all listen.
    #[must_use]
    pub fn shop(&self) -> Shop {
        let url = |place: usize| self.services[place].own_url().to_owned();
        Shop {
            broker: self.broker.own_url().to_owned(),
            orders: url(0),
            inventory: url(1),
            payments: url(2),
            emails: url(3),
            analytics: url(4),
        }
    }
}
