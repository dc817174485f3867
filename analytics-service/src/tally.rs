//! What a batch of events adds to the counts. Pure: no database, no clock.

use std::collections::BTreeMap;

use events::{CancelReason, Currency, Fact};
use units::Timestamp;

const MINUTE_MS: u64 = 60_000;

/// Counts of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Orders placed.
    pub placed: i64,
    /// Orders confirmed.
    pub confirmed: i64,
    /// Orders cancelled, by reason.
    pub cancelled: BTreeMap<CancelReason, i64>,
    /// Minor units that were taken, by currency.
    pub captured: BTreeMap<Currency, i64>,
    /// Minor units that were given back, by currency.
    pub refunded: BTreeMap<Currency, i64>,
    /// The orders by the minute they happened in.
    pub minutes: BTreeMap<Timestamp, Minute>,
    /// Events that may have been lost on the way.
    pub missed: i64,
    /// Events that may have been counted before.
    pub doubled: i64,
}

/// Counts of one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Orders placed.
    pub placed: i64,
    /// Orders confirmed.
    pub confirmed: i64,
    /// Orders cancelled.
    pub cancelled: i64,
}

impl Tally {
    /// Counts a fact that happened at `at`.
    pub fn count(&mut self, fact: &Fact, at: Timestamp) {
        match fact {
            Fact::OrderPlaced(_) => {
                self.placed += 1;
                self.minute(at).placed += 1;
            }
            Fact::OrderConfirmed(_) => {
                self.confirmed += 1;
                self.minute(at).confirmed += 1;
            }
            Fact::OrderCancelled(cancelled) => {
                *self.cancelled.entry(cancelled.reason).or_default() += 1;
                self.minute(at).cancelled += 1;
            }
            Fact::PaymentCaptured(payment) => {
                *self.captured.entry(payment.amount.currency).or_default() += payment.amount.amount;
            }
            Fact::PaymentRefunded(payment) => {
                *self.refunded.entry(payment.amount.currency).or_default() += payment.amount.amount;
            }
            _ => {}
        }
    }

    fn minute(&mut self, at: Timestamp) -> &mut Minute {
        let millis = at.as_millis();
        self.minutes.entry(Timestamp::from_millis(millis - millis % MINUTE_MS)).or_default()
    }

    /// The counts with their names, for the table `counts`; what is zero is left out.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, String, i64)> {
        let plain = [
            ("placed", self.placed),
            ("confirmed", self.confirmed),
            ("missed", self.missed),
            ("doubled", self.doubled),
        ];
        let plain = plain.into_iter().map(|(name, n)| (name, String::new(), n));
        let cancelled =
            self.cancelled.iter().map(|(reason, n)| ("cancelled", reason.as_str().to_owned(), *n));
        let captured = self.captured.iter().map(|(currency, n)| ("captured", currency.to_string(), *n));
        let refunded = self.refunded.iter().map(|(currency, n)| ("refunded", currency.to_string(), *n));
        let rows = plain.chain(cancelled).chain(captured).chain(refunded);
        rows.filter(|(_, _, n)| *n != 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use events::{
        CaptureFailed, Customer, Money, Order, OrderCancelled, OrderId, Payment, PaymentDeclined, kind, queue,
    };
    use messaging::event::Event;

    use super::*;

    fn customer() -> Customer {
        Customer { name: "Ada".to_owned(), email: "ada@example.com".to_owned() }
    }

    fn order() -> Order {
        Order {
            order_id: OrderId::new(),
            customer: customer(),
            lines: vec![],
            total: Money::eur(1),
            payment_method: "pm_card_visa".to_owned(),
            placed_at: Timestamp::now(),
        }
    }

    fn payment(amount: i64, currency: &str) -> Payment {
        let amount = Money::new(amount, Currency::parse(currency).unwrap());
        Payment { order_id: OrderId::new(), customer: customer(), amount }
    }

    #[test]
    fn orders_are_counted_in_the_minute_they_happened_in() {
        let mut tally = Tally::default();
        tally.count(&Fact::OrderPlaced(order()), Timestamp::from_millis(59_999));
        tally.count(&Fact::OrderPlaced(order()), Timestamp::from_millis(60_000));
        tally.count(&Fact::OrderConfirmed(order()), Timestamp::from_millis(119_999));
        let minutes: Vec<_> = tally.minutes.into_iter().collect();
        assert_eq!(
            minutes,
            [
                (Timestamp::from_millis(0), Minute { placed: 1, ..Minute::default() }),
                (Timestamp::from_millis(60_000), Minute { placed: 1, confirmed: 1, cancelled: 0 }),
            ]
        );
    }

    #[test]
    fn cancelled_orders_are_told_apart_by_reason_and_money_by_currency() {
        let mut tally = Tally::default();
        for reason in [CancelReason::OutOfStock, CancelReason::OutOfStock, CancelReason::PaymentDeclined] {
            tally.count(&Fact::OrderCancelled(OrderCancelled { order: order(), reason }), Timestamp::now());
        }
        tally.count(&Fact::PaymentCaptured(payment(500, "EUR")), Timestamp::now());
        tally.count(&Fact::PaymentCaptured(payment(700, "USD")), Timestamp::now());
        tally.count(&Fact::PaymentRefunded(payment(200, "EUR")), Timestamp::now());
        let row = |name: &'static str, detail: &str, n| (name, detail.to_owned(), n);
        assert_eq!(
            tally.rows(),
            [
                row("cancelled", "payment-declined", 1),
                row("cancelled", "out-of-stock", 2),
                row("captured", "EUR", 500),
                row("captured", "USD", 700),
                row("refunded", "EUR", 200),
            ]
        );
    }

    /// Everything that payment-service tells.
    fn payments() -> [Event; 6] {
        let (payment, reason) = (payment(500, "EUR"), "the card was refused".to_owned());
        let Payment { order_id, amount, .. } = payment;
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
    fn the_queue_of_payments_does_without_just_those_that_count_nothing() {
        let topology = events::topology();
        let listens =
            topology.subscriptions.iter().find(|listens| listens.queue == queue::ANALYTICS_PAYMENTS);
        let counts_nothing = |event: &Event| {
            let mut tally = Tally::default();
            tally.count(&events::parse(event).unwrap(), Timestamp::now());
            tally == Tally::default()
        };
        let of_no_use: Vec<_> = payments().into_iter().filter(counts_nothing).collect();
        let of_no_use: Vec<&str> = of_no_use.iter().map(Event::kind).collect();
        assert_eq!(listens.unwrap().without_types, of_no_use);
    }
}
