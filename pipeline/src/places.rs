//! Where the broker and the services of a pipeline listen, and what they are called.

use std::fmt;

/// A server of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The broker.
    Broker,
    /// order-service.
    Order,
    /// inventory-service.
    Inventory,
    /// payment-service.
    Payment,
    /// email-service.
    Email,
    /// analytics-service.
    Analytics,
}

impl Part {
    /// All of them: each listens on the port after the one before it.
    pub const ALL: [Self; 6] =
        [Self::Broker, Self::Order, Self::Inventory, Self::Payment, Self::Email, Self::Analytics];

    /// As the binary and the data folder are called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::Order => "order-service",
            Self::Inventory => "inventory-service",
            Self::Payment => "payment-service",
            Self::Email => "email-service",
            Self::Analytics => "analytics-service",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The base URL of each part, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places([String; 6]);

/// A text that does not say where a pipeline is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not say where order-service is: write it as http://127.0.0.1:7071, with its port")]
pub struct InvalidPlace(String);

impl Places {
    /// Each part at a URL of its own, in the order of [`Part::ALL`].
    #[must_use]
    pub fn new(urls: [String; 6]) -> Self {
        Self(urls)
    }

    /// On this machine, the broker at `port` and the others at the ports after it.
    #[must_use]
    pub fn from_port(port: u16) -> Self {
        Self(at("http://127.0.0.1", port))
    }

    /// Around order-service, which is told by its URL: the broker at the port before it, the others
    /// at the ports after it.
    ///
    /// # Errors
    /// [`InvalidPlace`] when it is no `http://HOST:PORT`, or no room is left for the others.
    pub fn around_order_service(url: &str) -> Result<Self, InvalidPlace> {
        let invalid = || InvalidPlace(url.to_owned());
        let (host, port) = url.trim_end_matches('/').rsplit_once(':').ok_or_else(invalid)?;
        let port: u16 = port.parse().map_err(|_| invalid())?;
        let named = host.strip_prefix("http://").or_else(|| host.strip_prefix("https://"));
        if named.is_none_or(|name| name.is_empty() || name.contains('/')) || !(2..=65_531).contains(&port) {
            return Err(invalid());
        }
        Ok(Self(at(host, port - 1)))
    }

    /// Where that part is.
    #[must_use]
    pub fn of(&self, part: Part) -> &str {
        &self.0[part as usize]
    }
}

fn at(host: &str, first: u16) -> [String; 6] {
    Part::ALL.map(|part| format!("{host}:{}", u32::from(first) + part as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_one_port_after_the_one_before() {
        let places = Places::from_port(7070);
        assert_eq!(places.of(Part::Broker), "http://127.0.0.1:7070");
        assert_eq!(places.of(Part::Order), "http://127.0.0.1:7071");
        assert_eq!(places.of(Part::Analytics), "http://127.0.0.1:7075");
    }

    #[test]
    fn the_others_are_found_around_order_service() {
        assert_eq!(Places::around_order_service("http://127.0.0.1:7071/"), Ok(Places::from_port(7070)));
        let ipv6 = Places::around_order_service("http://[::1]:8001").unwrap();
        assert_eq!(ipv6.of(Part::Broker), "http://[::1]:8000");
    }

    #[test]
    fn what_is_no_place_is_refused_with_an_example() {
        for url in [
            "",
            "7071",
            "http://127.0.0.1",
            "ftp://x:7071",
            "http://x/orders:7071",
            "http://x:1",
            "http://x:65535",
        ] {
            let refused = Places::around_order_service(url).unwrap_err();
            assert!(refused.to_string().contains("http://127.0.0.1:7071"), "{url}");
        }
    }
}
