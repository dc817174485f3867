//! The saga alone, and the saga amid models of the other services: every order of arrival, late, twice,
//! with cancels and deadlines at any moment.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{Input::*, PaymentHeard as P, StockHeard as S, *};

fn after(inputs: &[Input]) -> (State, Vec<Announcement>) {
    let mut state = State::PLACED;
    let mut told = Vec::new();
    for input in inputs {
        let decision = decide(&state, *input);
        state = decision.next;
        told.extend(decision.announce);
    }
    (state, told)
}

fn status(inputs: &[Input]) -> Status {
    after(inputs).0.status
}

fn remark_of_last(inputs: &[Input]) -> Remark {
    let (last, before) = inputs.split_last().unwrap();
    decide(&after(before).0, *last).remark
}

#[test]
fn both_good_confirm_in_either_order() {
    assert_eq!(status(&[Stock(S::Reserved)]), Status::Pending);
    assert_eq!(status(&[Payment(P::Authorized)]), Status::Pending);
    assert_eq!(status(&[Stock(S::Reserved), Payment(P::Authorized)]), Status::Confirmed);
    assert_eq!(status(&[Payment(P::Authorized), Stock(S::Reserved)]), Status::Confirmed);
}

#[test]
fn either_bad_cancels_whatever_the_other_says() {
    for other in [None, Some(Payment(P::Authorized))] {
        let inputs: Vec<_> = other.into_iter().chain([Stock(S::Rejected)]).collect();
        assert_eq!(status(&inputs), Status::Cancelled(CancelReason::OutOfStock));
    }
    for other in [None, Some(Stock(S::Reserved))] {
        let inputs: Vec<_> = other.into_iter().chain([Payment(P::Declined)]).collect();
        assert_eq!(status(&inputs), Status::Cancelled(CancelReason::PaymentDeclined));
    }
}

#[test]
fn the_first_bad_news_gives_the_reason() {
    assert_eq!(
        status(&[Payment(P::Declined), Stock(S::Rejected), Cancel]),
        Status::Cancelled(CancelReason::PaymentDeclined)
    );
}

#[test]
fn a_capture_refused_for_good_cancels_a_confirmed_order() {
    let (state, told) = after(&[Stock(S::Reserved), Payment(P::Authorized), Payment(P::CaptureFailed)]);
    assert_eq!(state.status, Status::Cancelled(CancelReason::PaymentFailed));
    assert_eq!(told, [Announcement::Confirmed, Announcement::Cancelled(CancelReason::PaymentFailed)]);
}

#[test]
fn after_a_failed_capture_the_void_is_still_owed() {
    let inputs = [Stock(S::Reserved), Payment(P::Authorized), Payment(P::CaptureFailed), Stock(S::Released)];
    assert_eq!(after(&inputs).0.owed(), Some(Owed::Money));
    assert_eq!(after(&[&inputs[..], &[Payment(P::Voided)]].concat()).0.owed(), None);
}

#[test]
fn a_capture_refused_after_it_was_done_changes_nothing() {
    let inputs =
        [Stock(S::Reserved), Payment(P::Authorized), Payment(P::Captured), Payment(P::CaptureFailed)];
    assert_eq!(status(&inputs), Status::Confirmed);
    assert_eq!(remark_of_last(&inputs), Remark::NoEffect);
}

#[test]
fn the_customer_may_cancel_until_it_is_cancelled() {
    for before in [&[][..], &[Stock(S::Reserved), Payment(P::Authorized), Payment(P::Captured)]] {
        let inputs = [before, &[Cancel]].concat();
        assert_eq!(status(&inputs), Status::Cancelled(CancelReason::CancelledByCustomer));
        assert_eq!(decide(&after(&inputs).0, Cancel).announce, None);
    }
}

#[test]
fn the_deadline_acts_only_when_both_queues_were_read() {
    let (stock, payments) = (DeadlineMark(Queue::Stock), DeadlineMark(Queue::Payments));
    assert_eq!(status(&[stock, stock]), Status::Pending);
    assert_eq!(status(&[payments, payments]), Status::Pending);
    assert_eq!(status(&[stock, payments]), Status::Cancelled(CancelReason::DeadlinePassed));
    assert_eq!(status(&[payments, stock]), Status::Cancelled(CancelReason::DeadlinePassed));
    assert_eq!(status(&[stock, Stock(S::Reserved), Payment(P::Authorized), payments]), Status::Confirmed);
}

#[test]
fn what_comes_late_or_twice_is_remarked_and_has_no_effect() {
    let good = [Stock(S::Reserved), Payment(P::Authorized)];
    assert_eq!(remark_of_last(&[Stock(S::Reserved), Stock(S::Reserved)]), Remark::NoEffect);
    assert_eq!(remark_of_last(&[&good[..], &[Payment(P::Authorized)]].concat()), Remark::NoEffect);
    assert_eq!(remark_of_last(&[Cancel, Payment(P::Voided), Payment(P::Authorized)]), Remark::NoEffect);
    assert_eq!(remark_of_last(&[Cancel, Payment(P::Authorized)]), Remark::AfterCancel);
    assert_eq!(remark_of_last(&[Cancel, Payment(P::Authorized), Payment(P::Voided)]), Remark::Undone);
}

#[test]
fn what_contradicts_a_confirmed_order_calls_a_person_and_cancels_nothing() {
    for odd in [Stock(S::Released), Stock(S::Rejected), Payment(P::Voided), Payment(P::Refunded)] {
        let inputs = [Stock(S::Reserved), Payment(P::Authorized), odd];
        assert_eq!(status(&inputs), Status::Confirmed);
        assert_eq!(remark_of_last(&inputs), Remark::Contradicts);
    }
}

#[test]
fn a_compensation_that_did_not_come_in_time_calls_a_person() {
    let done = [Stock(S::Reserved), Payment(P::Authorized), Cancel];
    let overdue = |more: &[Input]| remark_of_last(&[&done[..], more, &[CompensationDue]].concat());
    assert_eq!(overdue(&[]), Remark::Overdue(Owed::Both));
    assert_eq!(overdue(&[Stock(S::Released)]), Remark::Overdue(Owed::Money));
    assert_eq!(overdue(&[Payment(P::Voided)]), Remark::Overdue(Owed::Stock));
    assert_eq!(overdue(&[Payment(P::Voided), Stock(S::Released)]), Remark::NoEffect);
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        prop_oneof![Just(S::Reserved), Just(S::Rejected), Just(S::Released)].prop_map(Stock),
        prop_oneof![
            Just(P::Authorized),
            Just(P::Declined),
            Just(P::Captured),
            Just(P::CaptureFailed),
            Just(P::Voided),
            Just(P::Refunded)
        ]
        .prop_map(Payment),
        prop_oneof![Just(Queue::Stock), Just(Queue::Payments)].prop_map(DeadlineMark),
        Just(Cancel),
        Just(CompensationDue),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_in_whatever_order_is_told_at_most_once_and_never_taken_back(
        inputs in proptest::collection::vec(any_input(), 0..20)
    ) {
        let (state, told) = after(&inputs);
        let expected = match state.status {
            Status::Pending => vec![],
            Status::Confirmed => vec![Announcement::Confirmed],
            Status::Cancelled(reason) if told.len() == 2 =>
                vec![Announcement::Confirmed, Announcement::Cancelled(reason)],
            Status::Cancelled(reason) => vec![Announcement::Cancelled(reason)],
        };
        prop_assert_eq!(told, expected);
    }

    #[test]
    fn the_same_input_again_changes_nothing(
        inputs in proptest::collection::vec(any_input(), 0..12), again in any_input()
    ) {
        let (state, _) = after(&inputs);
        let once = decide(&state, again).next;
        let twice = decide(&once, again);
        prop_assert_eq!(twice.next, once);
        prop_assert_eq!(twice.announce, None);
    }

    #[test]
    fn good_answers_that_waited_when_the_deadline_fell_due_win(turns in proptest::collection::vec(any::<bool>(), 4)) {
        let mut stock = VecDeque::from([Stock(S::Reserved), DeadlineMark(Queue::Stock)]);
        let mut payments = VecDeque::from([Payment(P::Authorized), DeadlineMark(Queue::Payments)]);
        let mut inputs = Vec::new();
        for turn in turns {
            let (first, second) = if turn { (&mut stock, &mut payments) } else { (&mut payments, &mut stock) };
            inputs.extend(first.pop_front().or_else(|| second.pop_front()));
        }
        inputs.extend(stock.into_iter().chain(payments));
        prop_assert_eq!(status(&inputs), Status::Confirmed);
    }

    #[test]
    fn amid_the_other_services_every_order_ends_whole(
        fate in any_fate(), steps in proptest::collection::vec(any::<u8>(), 0..60)
    ) {
        let mut world = World::new(fate);
        for step in steps {
            world.step(step);
        }
        world.drain();
        world.check()?;
    }
}

/// What the world has in store for an order.
#[derive(Clone, Copy, Debug)]
struct Fate {
    in_stock: bool,
    card_works: bool,
    capture_works: bool,
    cancels: bool,
    deadline: bool,
}

fn any_fate() -> impl Strategy<Value = Fate> {
    any::<[bool; 5]>().prop_map(|[in_stock, card_works, capture_works, cancels, deadline]| Fate {
        in_stock,
        card_works,
        capture_works,
        cancels,
        deadline,
    })
}

/// What inventory- and payment-service hear, in order.
#[derive(Clone, Copy, Debug)]
enum Told {
    Placed,
    Saga(Announcement),
}

/// An order amid models of inventory and payment. What they say is read in any order and any number of
/// times; what they hear comes in order, as it does by the order's key.
struct World {
    fate: Fate,
    state: State,
    told: Vec<Announcement>,
    to_inventory: VecDeque<Told>,
    to_payment: VecDeque<Told>,
    from_them: Vec<Input>,
    reserved: bool,
    committed: bool,
    payment: P,
}

impl World {
    fn new(fate: Fate) -> Self {
        Self {
            fate,
            state: State::PLACED,
            told: vec![],
            to_inventory: VecDeque::from([Told::Placed]),
            to_payment: VecDeque::from([Told::Placed]),
            from_them: vec![],
            reserved: false,
            committed: false,
            payment: P::Unheard,
        }
    }

    fn step(&mut self, chance: u8) {
        match chance % 8 {
            0 | 1 => self.inventory_hears(),
            2 | 3 => self.payment_hears(),
            4 if self.fate.cancels && chance > 128 => self.saga_hears(Cancel),
            5 if self.fate.deadline && chance > 128 => {
                self.from_them.extend([DeadlineMark(Queue::Stock), DeadlineMark(Queue::Payments)]);
            }
            _ if !self.from_them.is_empty() => {
                let index = usize::from(chance / 8) % self.from_them.len();
                let read_again = chance.is_multiple_of(2);
                let input =
                    if read_again { self.from_them[index] } else { self.from_them.swap_remove(index) };
                self.saga_hears(input);
            }
            _ => {}
        }
    }

    fn saga_hears(&mut self, input: Input) {
        let decision = decide(&self.state, input);
        self.state = decision.next;
        self.told.extend(decision.announce);
        self.to_inventory.extend(decision.announce.map(Told::Saga));
        self.to_payment.extend(decision.announce.map(Told::Saga));
    }

    fn inventory_hears(&mut self) {
        match self.to_inventory.pop_front() {
            Some(Told::Placed) if self.fate.in_stock => {
                self.reserved = true;
                self.from_them.push(Stock(S::Reserved));
            }
            Some(Told::Placed) => self.from_them.push(Stock(S::Rejected)),
            Some(Told::Saga(Announcement::Confirmed)) => self.committed = self.reserved,
            Some(Told::Saga(Announcement::Cancelled(_))) if self.reserved => {
                (self.reserved, self.committed) = (false, false);
                self.from_them.push(Stock(S::Released));
            }
            Some(Told::Saga(Announcement::Cancelled(_))) | None => {}
        }
    }

    fn payment_hears(&mut self) {
        let now = match (self.to_payment.pop_front(), self.payment) {
            (Some(Told::Placed), _) => {
                if self.fate.card_works {
                    P::Authorized
                } else {
                    P::Declined
                }
            }
            (Some(Told::Saga(Announcement::Confirmed)), P::Authorized) => {
                if self.fate.capture_works {
                    P::Captured
                } else {
                    P::CaptureFailed
                }
            }
            (Some(Told::Saga(Announcement::Cancelled(_))), P::Authorized | P::CaptureFailed) => P::Voided,
            (Some(Told::Saga(Announcement::Cancelled(_))), P::Captured) => P::Refunded,
            _ => return,
        };
        self.payment = now;
        self.from_them.push(Payment(now));
    }

    fn drain(&mut self) {
        while !(self.to_inventory.is_empty() && self.to_payment.is_empty() && self.from_them.is_empty()) {
            self.inventory_hears();
            self.payment_hears();
            if let Some(input) = self.from_them.pop() {
                self.saga_hears(input);
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_ne!(self.state.status, Status::Pending);
        if self.state.status == Status::Confirmed {
            prop_assert!(self.committed);
            prop_assert_eq!(self.payment, P::Captured);
        } else {
            prop_assert!(!self.reserved && !self.committed);
            prop_assert!(!self.payment.holds());
            prop_assert_eq!(self.state.owed(), None);
            prop_assert!(matches!(self.told.last(), Some(Announcement::Cancelled(_))));
        }
        if self.fate.in_stock
            && self.fate.card_works
            && self.fate.capture_works
            && !self.fate.cancels
            && !self.fate.deadline
        {
            prop_assert_eq!(self.state.status, Status::Confirmed);
        }
        Ok(())
    }
}
