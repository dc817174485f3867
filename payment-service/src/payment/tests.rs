//! The drawing of `payment` walked, and random interleavings of events, crashes and several workers
//! against a gateway that keeps its own word.

use std::collections::BTreeSet;

use events::{Customer, Line, Money, Order, OrderId, Sku};
use proptest::prelude::*;
use units::Timestamp;

use super::*;

fn order() -> Order {
    Order {
        order_id: OrderId::new(),
        customer: Customer { name: "Ada".to_owned(), email: "ada@example.com".to_owned() },
        lines: vec![Line {
            sku: Sku::new("mug"),
            name: "Mug".to_owned(),
            quantity: 1,
            price: Money::eur(1200),
        }],
        total: Money::eur(1200),
        payment_method: "pm_card_visa".to_owned(),
        placed_at: Timestamp::now(),
    }
}

fn placed() -> Heard {
    Heard::Placed(Charge { method: "pm_card_visa".to_owned(), reference: Reference("r".to_owned()) })
}

/// What is heard of an order, or what the gateway says of its money.
#[derive(Clone, Debug)]
enum Said {
    Order(Heard),
    Gateway(Standing),
    CaptureRefused,
}

/// Every arrow of the drawing: in which status, what is said, which status follows, what is to be done.
#[test]
fn the_drawing_is_what_happens() {
    use Operation::{Authorize, Capture, Refund, Void};
    use Said::{CaptureRefused, Gateway, Order as Hears};
    let walks: [&[(Said, Status, Option<Operation>)]; 7] = [
        &[
            (Hears(placed()), Status::Pending, Some(Authorize)),
            (Gateway(Standing::Authorized), Status::Authorized, None),
            (Hears(Heard::Confirmed), Status::Authorized, Some(Capture)),
            (Gateway(Standing::Captured), Status::Captured, None),
            (Hears(Heard::Cancelled), Status::Captured, Some(Refund)),
            (Gateway(Standing::Refunded), Status::Refunded, None),
        ],
        &[
            (Hears(placed()), Status::Pending, Some(Authorize)),
            (Gateway(Standing::Declined), Status::Declined, None),
            (Hears(Heard::Cancelled), Status::Declined, None),
        ],
        &[
            (Hears(placed()), Status::Pending, Some(Authorize)),
            (Hears(Heard::Cancelled), Status::Pending, Some(Void)),
            (Gateway(Standing::Voided), Status::Voided, None),
            (Hears(Heard::Confirmed), Status::Voided, None),
        ],
        &[
            (Hears(placed()), Status::Pending, Some(Authorize)),
            (Gateway(Standing::Authorized), Status::Authorized, None),
            (Hears(Heard::Cancelled), Status::Authorized, Some(Void)),
            (Gateway(Standing::Voided), Status::Voided, None),
        ],
        &[
            (Hears(placed()), Status::Pending, Some(Authorize)),
            (Gateway(Standing::Authorized), Status::Authorized, None),
            (Hears(Heard::Confirmed), Status::Authorized, Some(Capture)),
            (CaptureRefused, Status::CaptureRefused, None),
            (Hears(Heard::Confirmed), Status::CaptureRefused, None),
            (Hears(Heard::Cancelled), Status::CaptureRefused, Some(Void)),
            (Gateway(Standing::Voided), Status::Voided, None),
        ],
        &[
            (Hears(Heard::Cancelled), Status::Voided, None),
            (Hears(placed()), Status::Voided, None),
            (Hears(Heard::Confirmed), Status::Voided, None),
        ],
        // A capture that was under way when the order was cancelled: the gateway tells which came first.
        &[
            (Hears(placed()), Status::Pending, Some(Authorize)),
            (Gateway(Standing::Authorized), Status::Authorized, None),
            (Hears(Heard::Confirmed), Status::Authorized, Some(Capture)),
            (Hears(Heard::Cancelled), Status::Authorized, Some(Void)),
            (Gateway(Standing::Captured), Status::Captured, Some(Refund)),
            (Gateway(Standing::Refunded), Status::Refunded, None),
        ],
    ];
    for walk in walks {
        let mut payment = Payment::unheard(&order());
        for (said, status, intent) in walk {
            match said.clone() {
                Hears(heard) => payment.hear(heard),
                Gateway(standing) => drop(payment.observe(standing, "")),
                CaptureRefused => drop(payment.refuse_capture("")),
            }
            assert_eq!((payment.status, payment.intent), (*status, *intent), "after {said:?} in {walk:?}");
        }
    }
}

#[test]
fn a_status_has_a_name_that_is_read_back() {
    for status in Status::ALL {
        assert_eq!(Status::named(status.name()), Some(status));
    }
}

#[test]
fn only_the_last_attempts_are_kept() {
    let mut payment = Payment::unheard(&order());
    for millis in 0..60 {
        payment.note(Attempt {
            at: Timestamp::from_millis(millis),
            operation: Operation::Authorize,
            outcome: AttemptOutcome::Failed,
            error: None,
        });
    }
    assert_eq!(payment.attempts.len(), MAX_ATTEMPTS);
    assert_eq!(payment.attempts[0].at, Timestamp::from_millis(10));
}

/// A gateway as `Gateway` promises it: each operation once, closed references refuse.
#[derive(Default)]
struct Books(Vec<Operation>, bool);

impl Books {
    fn standing(&self) -> Standing {
        match self.0.last() {
            _ if self.1 => Standing::Declined,
            None => Standing::Open,
            Some(Operation::Authorize) => Standing::Authorized,
            Some(Operation::Capture) => Standing::Captured,
            Some(Operation::Void) => Standing::Voided,
            Some(Operation::Refund) => Standing::Refunded,
        }
    }

    /// Carries out what can be, once; says nothing else than how it stands then.
    fn ask(&mut self, operation: Operation, declines: bool) {
        let can = matches!(
            (operation, self.standing()),
            (Operation::Authorize, Standing::Open)
                | (Operation::Capture, Standing::Authorized)
                | (Operation::Void, Standing::Open | Standing::Authorized)
                | (Operation::Refund, Standing::Captured)
        );
        if can && operation == Operation::Authorize && declines {
            self.1 = true;
        } else if can {
            self.0.push(operation);
        }
    }
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// An event is heard (0 placed, 1 confirmed, 2 cancelled), first or again.
    Event(u8),
    /// A worker sends what is open to the gateway, and hears nothing yet.
    Send(usize),
    /// A call of a worker reaches the gateway.
    Arrive(usize),
    /// A worker takes in how the gateway stands after its call.
    Learn(usize),
    /// A worker learns that its call was certainly not carried out.
    Fail(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (0..3_u8).prop_map(Happening::Event),
        3 => (0..3_usize).prop_map(Happening::Send),
        3 => (0..3_usize).prop_map(Happening::Arrive),
        3 => (0..3_usize).prop_map(Happening::Learn),
        1 => (0..3_usize).prop_map(Happening::Fail),
    ]
}

/// Where a worker's call is.
#[derive(Clone, Copy)]
enum Call {
    None,
    OnItsWay(Operation),
    Answered(Standing),
}

struct World {
    payment: Payment,
    books: Books,
    calls: [Call; 3],
    heard: BTreeSet<u8>,
    news: Vec<Announcement>,
    declines: bool,
}

impl World {
    fn new(declines: bool) -> Self {
        let payment = Payment::unheard(&order());
        let (books, heard) = (Books::default(), BTreeSet::new());
        Self { payment, books, calls: [Call::None; 3], heard, news: vec![], declines }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Event(event) => {
                self.heard.insert(event);
                self.payment.hear(match event {
                    0 => placed(),
                    1 => Heard::Confirmed,
                    _ => Heard::Cancelled,
                });
            }
            Happening::Send(worker) => {
                if let Some(operation) = self.payment.intent {
                    self.calls[worker] = Call::OnItsWay(operation);
                }
            }
            Happening::Arrive(worker) => {
                if let Call::OnItsWay(operation) = self.calls[worker] {
                    self.books.ask(operation, self.declines);
                    self.calls[worker] = Call::Answered(self.books.standing());
                }
            }
            Happening::Learn(worker) => {
                if let Call::Answered(standing) = std::mem::replace(&mut self.calls[worker], Call::None) {
                    self.news.extend(self.payment.observe(standing, "no"));
                }
            }
            Happening::Fail(worker) => {
                if let Call::OnItsWay(operation) = std::mem::replace(&mut self.calls[worker], Call::None) {
                    self.payment.fail(operation);
                }
            }
        }
    }

    /// Every event heard is delivered once more, and every intent carried through; calls that were on
    /// their way arrive late.
    fn settle(&mut self) {
        for event in self.heard.clone() {
            self.happen(Happening::Event(event));
            for _ in 0..4 {
                self.happen(Happening::Send(0));
                self.happen(Happening::Arrive(0));
                self.happen(Happening::Learn(0));
            }
        }
        for worker in [1, 2] {
            self.happen(Happening::Arrive(worker));
            self.happen(Happening::Learn(worker));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn money_ends_where_the_order_wants_it_whatever_the_order_of_things(
        happenings in proptest::collection::vec(happening(), 0..40),
        declines in proptest::bool::weighted(0.2),
    ) {
        let mut world = World::new(declines);
        for happening in &happenings {
            let before = world.payment.status;
            world.happen(*happening);
            prop_assert!(world.payment.status >= before, "a status never goes back");
            prop_assert!(!before.absorbs() || world.payment.status == before, "what absorbs stays");
        }
        world.settle();
        let done: BTreeSet<_> = world.books.0.iter().copied().collect();
        prop_assert_eq!(done.len(), world.books.0.len(), "each operation once at the most");
        prop_assert_eq!(world.payment.intent, None, "nothing is owed in the end");
        let keeps_money = matches!(world.books.standing(), Standing::Authorized | Standing::Captured);
        let (placed, confirmed, cancelled) =
            (world.heard.contains(&0), world.heard.contains(&1), world.heard.contains(&2));
        prop_assert!(!(cancelled && keeps_money), "a cancelled order keeps no money");
        if placed && !cancelled && !declines {
            let wanted = if confirmed { Standing::Captured } else { Standing::Authorized };
            prop_assert_eq!(world.books.standing(), wanted);
        }
        let told: BTreeSet<_> = world.news.iter().map(|news| format!("{news:?}")).collect();
        prop_assert_eq!(told.len(), world.news.len(), "nothing is told twice");
    }
}
