//! A mail: of which order, of which kind, to whom, what it says; and the message that it becomes.
//! Everything in the message is derived from the event, so composing it again gives the same bytes.
//! The words stand in `letter`; where it goes is `mailbox`'s business.

mod letter;

use std::{fmt, str::FromStr, time::UNIX_EPOCH};

use events::{Customer, Fact, OrderId};
use lettre::{
    Address, Message,
    message::{Mailbox, header::ContentType},
};
use serde::{Deserialize, Serialize};
use units::Timestamp;
use utoipa::ToSchema;

pub use letter::Letter;

/// What a mail tells. Each order gets at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// We have your order.
    OrderReceived,
    /// It is paid and on its way.
    OrderConfirmed,
    /// It will not be, and why.
    OrderCancelled,
    /// The money goes back.
    OrderRefunded,
}

/// A text that is no mail's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a mail's kind is order-received, order-confirmed, order-cancelled or order-refunded")]
pub struct InvalidKind;

/// Why no message can be made of a mail. It will not be better the next time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// The customer's address, or the sender's, is none.
    #[error("{address:?} is not a mail address")]
    Address {
        /// What stood there.
        address: String,
        /// What is wrong with it.
        source: lettre::address::AddressError,
    },
    /// The parts do not make a message.
    #[error("the message can't be composed")]
    Message(#[from] lettre::error::Error),
}

/// A mail that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Of which order.
    pub order_id: OrderId,
    /// What it tells.
    pub kind: Kind,
    /// To whom.
    pub customer: Customer,
    /// Its words.
    pub letter: Letter,
    /// When it happened that the mail tells of: the message's date.
    pub date: Timestamp,
}

/// The message as it goes out, with what it is delivered by.
#[derive(Clone, Debug)]
pub struct Composed {
    /// `ORDER.KIND`, the same at every attempt: the file's name and the Message-ID come from it.
    pub name: String,
    /// The message for SMTP, with its envelope.
    pub message: Message,
    /// The same as bytes (RFC 5322, lines end in CRLF).
    pub bytes: Vec<u8>,
}

impl Mail {
    /// The mail that a fact calls for, if any. `date` is the event's time.
    #[must_use]
    pub fn about(fact: &Fact, date: Timestamp) -> Option<Self> {
        let (kind, customer) = match fact {
            Fact::OrderPlaced(order) => (Kind::OrderReceived, &order.customer),
            Fact::OrderConfirmed(order) => (Kind::OrderConfirmed, &order.customer),
            Fact::OrderCancelled(cancelled) => (Kind::OrderCancelled, &cancelled.order.customer),
            Fact::PaymentRefunded(payment) => (Kind::OrderRefunded, &payment.customer),
            _ => return None,
        };
        let letter = Letter::about(fact)?;
        Some(Self { order_id: fact.order_id(), kind, customer: customer.clone(), letter, date })
    }

    /// Makes the message, from `sender`. The same mail gives the same bytes.
    ///
    /// # Errors
    /// [`ComposeError`], which is permanent.
    pub fn compose(&self, sender: &Sender) -> Result<Composed, ComposeError> {
        let name = format!("{}.{}", self.order_id, self.kind);
        let to = Mailbox::new(Some(one_line(&self.customer.name)), address(&self.customer.email)?);
        let message = Message::builder()
            .from(sender.0.clone())
            .to(to)
            .subject(self.letter.subject.clone())
            .date(UNIX_EPOCH + std::time::Duration::from_millis(self.date.as_millis()))
            .message_id(Some(format!("<{name}@{}>", sender.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(self.letter.body.clone())?;
        let bytes = message.formatted();
        Ok(Composed { name, message, bytes })
    }
}

/// Whom the mails are from, such as `Shop <shop@example.com>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl Sender {
    fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

impl FromStr for Sender {
    type Err = lettre::address::AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A name as it may stand in a header: the control characters, line breaks above all, become blanks.
fn one_line(name: &str) -> String {
    name.replace(char::is_control, " ")
}

fn address(text: &str) -> Result<Address, ComposeError> {
    text.parse().map_err(|source| ComposeError::Address { address: text.to_owned(), source })
}

impl Kind {
    /// All of them, in the order in which they can come.
    pub const ALL: [Self; 4] =
        [Self::OrderReceived, Self::OrderConfirmed, Self::OrderCancelled, Self::OrderRefunded];

    /// As it stands in JSON and in file names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderReceived => "order-received",
            Self::OrderConfirmed => "order-confirmed",
            Self::OrderCancelled => "order-cancelled",
            Self::OrderRefunded => "order-refunded",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = InvalidKind;

    fn from_str(text: &str) -> Result<Self, InvalidKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(InvalidKind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{
        CaptureFailed, Line, Money, Order, OrderCancelled, Payment, PaymentDeclined, Sku, kind, queue,
    };
    use messaging::event::Event;

    fn sender() -> Sender {
        "Shop <shop@example.com>".parse().unwrap()
    }

    fn order() -> Order {
        let line =
            Line {
                sku: Sku::new("mug"), name: "Mug, große".to_owned(), quantity: 2, price: Money::eur(950)
            };
        Order {
            order_id: OrderId::new(),
            customer: Customer { name: "Ada".to_owned(), email: "ada@example.com".to_owned() },
            lines: vec![line],
            total: Money::eur(1900),
            payment_method: "pm_card_visa".to_owned(),
            placed_at: Timestamp::from_millis(1_000_000),
        }
    }

    fn mail(fact: &Fact) -> Mail {
        Mail::about(fact, Timestamp::from_millis(1_764_000_000_000)).unwrap()
    }

    fn text(mail: &Mail) -> String {
        String::from_utf8(mail.compose(&sender()).unwrap().bytes).unwrap()
    }

    #[test]
    fn composing_a_mail_again_gives_the_same_bytes() {
        let mail = mail(&Fact::OrderPlaced(order()));
        assert_eq!(text(&mail), text(&mail.clone()));
    }

    #[test]
    fn the_message_id_names_the_order_and_the_kind() {
        let order = order();
        let id = order.order_id;
        let text = text(&mail(&Fact::OrderConfirmed(order)));
        assert!(text.contains(&format!("Message-ID: <{id}.order-confirmed@example.com>")), "{text}");
        assert!(text.contains("To: Ada <ada@example.com>"), "{text}");
    }

    #[test]
    fn a_cancelled_order_says_why() {
        for reason in [
            events::CancelReason::PaymentDeclined,
            events::CancelReason::PaymentFailed,
            events::CancelReason::OutOfStock,
            events::CancelReason::DeadlinePassed,
            events::CancelReason::CancelledByCustomer,
        ] {
            let letter = mail(&Fact::OrderCancelled(OrderCancelled { order: order(), reason })).letter;
            assert!(letter.body.contains(reason.as_str()), "{}", letter.body);
        }
    }

    #[test]
    fn a_refund_says_how_much() {
        let order = order();
        let refund = Payment { order_id: order.order_id, customer: order.customer, amount: Money::eur(1900) };
        let mail = mail(&Fact::PaymentRefunded(refund));
        assert_eq!(mail.kind, Kind::OrderRefunded);
        assert!(mail.letter.body.contains("19.00 EUR"), "{}", mail.letter.body);
    }

    #[test]
    fn a_line_break_in_a_name_adds_no_header() {
        let mut order = order();
        order.customer.name = "Ada\r\nBcc: eve@example.com".to_owned();
        let text = text(&mail(&Fact::OrderPlaced(order)));
        let headers = text.split("\r\n\r\n").next().unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{text}");
    }

    #[test]
    fn an_address_that_is_none_is_refused_by_name() {
        let mut order = order();
        order.customer.email = "nobody".to_owned();
        let refused = mail(&Fact::OrderPlaced(order)).compose(&sender()).unwrap_err();
        assert!(refused.to_string().contains("nobody"), "{refused}");
    }

    /// Everything that payment-service tells.
    fn payments() -> [Event; 6] {
        let (Order { order_id, customer, .. }, amount) = (order(), Money::eur(1900));
        let reason = "the card was refused".to_owned();
        let payment = Payment { order_id, customer, amount };
        let declined = PaymentDeclined { order_id, amount, reason: reason.clone() };
        let failed = CaptureFailed { order_id, amount, reason };
        [
            Event::new("/payments", kind::PAYMENT_AUTHORIZED, &payment),
            Event::new("/payments", kind::PAYMENT_DECLINED, &declined),
            Event::new("/payments", kind::PAYMENT_CAPTURED, &payment),
            Event::new("/payments", kind::PAYMENT_CAPTURE_FAILED, &failed),
            Event::new("/payments", kind::PAYMENT_VOIDED, &payment),
            Event::new("/payments", kind::PAYMENT_REFUNDED, &payment),
        ]
    }

    #[test]
    fn the_queue_of_payments_does_without_just_those_that_make_no_mail() {
        let topology = events::topology();
        let listens = topology.subscriptions.iter().find(|listens| listens.queue == queue::EMAIL_PAYMENTS);
        let makes_no_mail =
            |event: &Event| Mail::about(&events::parse(event).unwrap(), Timestamp::now()).is_none();
        let of_no_use: Vec<_> = payments().into_iter().filter(makes_no_mail).collect();
        let of_no_use: Vec<&str> = of_no_use.iter().map(Event::kind).collect();
        assert_eq!(listens.unwrap().without_types, of_no_use);
    }

    #[test]
    fn each_kind_is_read_as_it_is_written() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!("order".parse::<Kind>(), Err(InvalidKind));
    }
}
