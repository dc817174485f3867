//! Each invariant, and what breaks it.

use pipeline::check::{Answered, CheckError, Invariant, Report, Strictness};
use serde_json::json;

use crate::told::{CONFIRMED, DECLINED, REFUNDED, Told, entry, key, mail, order, reservation};

/// The invariants that do not hold.
fn broken(report: &Report) -> Vec<Invariant> {
    Invariant::ALL.into_iter().filter(|invariant| !report.faults(*invariant).is_empty()).collect()
}

/// Bends a sound pipeline and expects just that invariant to turn red, and to name `about`.
async fn turns_red(invariant: Invariant, about: &str, bend: impl FnOnce(&mut Told)) {
    let mut told = Told::sound();
    bend(&mut told);
    let report = told.report().await;
    assert_eq!(broken(&report), [invariant]);
    let faults = report.faults(invariant);
    assert!(faults.iter().any(|fault| fault.about == about), "{about} in {faults:?}");
    assert!(!report.passes(Strictness::ListApart));
    let mut text = Vec::new();
    report.tell(&mut text, Strictness::ListApart).unwrap();
    assert!(String::from_utf8(text).unwrap().contains(about));
}

#[tokio::test]
async fn a_sound_pipeline_holds_every_invariant() {
    let report = Told::sound().report().await;
    assert_eq!(broken(&report), []);
    assert!(report.passes(Strictness::FailOnApart));
    assert_eq!(report.orders(), 3);
}

mod settled {
    use super::*;

    #[tokio::test]
    async fn an_order_that_was_answered_and_is_not_there_is_lost() {
        let mut answered = Answered::default();
        answered.note("k9", "0199-lost");
        let report = Told::sound().checked(&answered).await.unwrap();
        assert_eq!(broken(&report), [Invariant::Settled]);
        assert_eq!(report.faults(Invariant::Settled)[0].about, "0199-lost");
    }

    #[tokio::test]
    async fn a_pending_order_that_nobody_has_to_decide_on_is_not_drained() {
        let mut told = Told::sound();
        told.find("/orders", "id", CONFIRMED)["status"] = "pending".into();
        let refused = told.checked(&Answered::default()).await.unwrap_err();
        assert!(matches!(&refused, CheckError::NotDrained(_)), "{refused:?}");
        assert!(refused.to_string().contains(CONFIRMED), "{refused}");
    }
}

mod confirmed {
    use super::*;

    async fn red(bend: impl FnOnce(&mut Told)) {
        turns_red(Invariant::Confirmed, CONFIRMED, bend).await;
    }

    #[tokio::test]
    async fn captured_twice() {
        red(|told| told.list("/sandbox/ledger").push(entry(CONFIRMED, "capture"))).await;
    }

    #[tokio::test]
    async fn authorized_twice() {
        red(|told| told.list("/sandbox/ledger").push(entry(CONFIRMED, "authorize"))).await;
    }

    #[tokio::test]
    async fn not_captured() {
        red(|told| {
            told.list("/sandbox/ledger")
                .retain(|done| !(done["order_id"] == CONFIRMED && done["operation"] == "capture"));
        })
        .await;
    }

    #[tokio::test]
    async fn voided_or_refunded() {
        red(|told| told.list("/sandbox/ledger").push(entry(CONFIRMED, "void"))).await;
        red(|told| told.list("/sandbox/ledger").push(entry(CONFIRMED, "refund"))).await;
    }

    #[tokio::test]
    async fn charged_another_amount_or_currency() {
        red(|told| told.find("/sandbox/ledger", "order_id", CONFIRMED)["amount"]["amount"] = 1300.into())
            .await;
        red(|told| told.find("/sandbox/ledger", "order_id", CONFIRMED)["amount"]["currency"] = "USD".into())
            .await;
    }

    #[tokio::test]
    async fn nothing_reserved() {
        red(|told| told.list("/reservations").retain(|held| held["order_id"] != CONFIRMED)).await;
    }

    #[tokio::test]
    async fn other_lines_reserved() {
        red(|told| {
            told.find("/reservations", "order_id", CONFIRMED)["lines"] =
                json!([{"sku": "mug", "quantity": 2}]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_mail_missing_doubled_or_wrong() {
        red(|told| {
            told.list("/emails")
                .retain(|mail| !(mail["order_id"] == CONFIRMED && mail["kind"] == "order-received"));
        })
        .await;
        red(|told| told.list("/emails").push(mail(CONFIRMED, "order-confirmed"))).await;
        red(|told| told.list("/emails").push(mail(CONFIRMED, "order-refunded"))).await;
    }
}

mod cancelled {
    use super::*;

    #[tokio::test]
    async fn money_still_held() {
        turns_red(Invariant::Cancelled, DECLINED, |told| {
            told.list("/sandbox/ledger").push(entry(DECLINED, "authorize"));
        })
        .await;
    }

    #[tokio::test]
    async fn money_held_and_voided_is_well() {
        let mut told = Told::sound();
        told.list("/sandbox/ledger").extend([entry(DECLINED, "authorize"), entry(DECLINED, "void")]);
        assert_eq!(broken(&told.report().await), []);
    }

    #[tokio::test]
    async fn captured_and_not_refunded_in_full() {
        turns_red(Invariant::Cancelled, REFUNDED, |told| {
            for done in told.list("/sandbox/ledger") {
                if done["operation"] == "refund" {
                    done["amount"]["amount"] = 1298.into();
                }
            }
        })
        .await;
    }

    #[tokio::test]
    async fn refunded_twice() {
        turns_red(Invariant::Cancelled, REFUNDED, |told| {
            told.list("/sandbox/ledger").push(entry(REFUNDED, "refund"));
        })
        .await;
    }

    #[tokio::test]
    async fn stock_still_committed() {
        turns_red(Invariant::Cancelled, DECLINED, |told| {
            told.find("/reservations", "order_id", DECLINED)["state"] = "committed".into();
        })
        .await;
    }

    #[tokio::test]
    async fn a_refund_that_nobody_was_told_of() {
        turns_red(Invariant::Cancelled, REFUNDED, |told| {
            told.list("/emails").retain(|mail| mail["kind"] != "order-refunded");
        })
        .await;
    }

    #[tokio::test]
    async fn a_refund_told_that_never_was() {
        turns_red(Invariant::Cancelled, DECLINED, |told| {
            told.list("/emails").push(mail(DECLINED, "order-refunded"));
        })
        .await;
    }
}

mod stock {
    use super::*;

    async fn red(field: &'static [(&'static str, i64)]) {
        turns_red(Invariant::Stock, "mug", |told| {
            for (name, value) in field {
                told.find("/stock", "sku", "mug")[*name] = (*value).into();
            }
        })
        .await;
    }

    #[tokio::test]
    async fn an_item_lost() {
        red(&[("on_hand", 8), ("available", 8)]).await;
    }

    #[tokio::test]
    async fn an_item_reserved_for_nobody() {
        red(&[("reserved", 1), ("available", 8)]).await;
    }

    #[tokio::test]
    async fn more_promised_than_there_is() {
        red(&[("available", -1)]).await;
    }
}

mod keys {
    use super::*;

    #[tokio::test]
    async fn two_answers_under_one_key() {
        let mut answered = Answered::default();
        answered.note("k1", CONFIRMED);
        answered.note("k1", REFUNDED);
        let report = Told::sound().checked(&answered).await.unwrap();
        assert_eq!(broken(&report), [Invariant::Keys]);
    }

    #[tokio::test]
    async fn the_same_answer_twice_is_well() {
        let mut answered = Answered::default();
        answered.note("k1", CONFIRMED);
        answered.note("k1", CONFIRMED);
        assert_eq!(broken(&Told::sound().checked(&answered).await.unwrap()), []);
    }

    #[tokio::test]
    async fn an_order_beside_the_one_of_its_key() {
        turns_red(Invariant::Keys, DECLINED, |told| {
            told.list("/idempotency-keys").retain(|key| key["order_id"] != DECLINED);
        })
        .await;
        turns_red(Invariant::Keys, DECLINED, |told| {
            told.list("/idempotency-keys").push(key("k1", DECLINED));
        })
        .await;
    }
}

mod counters {
    use super::*;

    #[tokio::test]
    async fn a_message_that_came_and_is_nowhere() {
        turns_red(Invariant::Counters, "payment.orders", |told| {
            told.list("/queues")[0]["counts"]["acked"] = 2.into();
        })
        .await;
    }

    #[tokio::test]
    async fn a_dead_letter_that_is_nowhere() {
        turns_red(Invariant::Counters, "payment.orders", |told| {
            let counts = &mut told.list("/queues")[0]["counts"];
            counts["acked"] = 2.into();
            counts["dead_lettered"] = 1.into();
        })
        .await;
    }
}

mod apart {
    use super::*;

    /// An order that waits for its dead letter, with stock held for it.
    fn stuck() -> Told {
        let mut told = Told::sound();
        told.list("/orders").push(order("0199-stuck", "pending", 1));
        told.list("/idempotency-keys").push(key("k4", "0199-stuck"));
        told.list("/reservations").push(reservation("0199-stuck", "reserved", 1));
        let mug = told.find("/stock", "sku", "mug");
        mug["reserved"] = 1.into();
        mug["available"] = 8.into();
        told.kill("0199-stuck");
        told
    }

    #[tokio::test]
    async fn an_order_with_a_dead_letter_is_listed_apart_and_fails_only_when_strict() {
        let report = stuck().report().await;
        assert_eq!(broken(&report), []);
        assert!(report.apart().names("0199-stuck"));
        assert!(report.passes(Strictness::ListApart));
        assert!(!report.passes(Strictness::FailOnApart));
    }

    #[tokio::test]
    async fn an_order_with_an_outbox_row_set_aside_is_listed_apart() {
        let mut told = Told::sound();
        told.find("/orders", "id", CONFIRMED)["status"] = "pending".into();
        told.0["/outbox"]["set_aside"] = json!([{"id": "e1", "type": "order.placed", "key": CONFIRMED, "error": "413", "at": "2026-11-24T04:15:00.000Z"}]);
        let report = told.report().await;
        assert!(report.apart().names(CONFIRMED));
        assert!(report.passes(Strictness::ListApart));
    }

    #[tokio::test]
    async fn its_open_gateway_intent_does_not_keep_it_from_being_drained() {
        let mut told = stuck();
        told.list("/payments").push(json!({"order_id": "0199-stuck"}));
        assert!(told.report().await.passes(Strictness::ListApart));
    }
}

mod drained {
    use super::*;

    async fn refused(bend: impl FnOnce(&mut Told)) -> String {
        let mut told = Told::sound();
        bend(&mut told);
        told.checked(&Answered::default()).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn messages_that_wait_are_named_by_their_queue() {
        for state in ["ready", "leased", "delayed"] {
            let said = refused(|told| told.list("/queues")[0]["counts"][state] = 2.into()).await;
            assert!(said.contains(&format!("2 {state} in payment.orders")), "{said}");
        }
    }

    #[tokio::test]
    async fn outbox_rows_that_could_go_are_counted() {
        let said = refused(|told| told.0["/outbox"]["depth"] = 7.into()).await;
        assert!(said.contains("7 in the outbox of order-service"), "{said}");
    }

    #[tokio::test]
    async fn an_open_gateway_intent_is_named_by_its_order() {
        let said = refused(|told| told.list("/payments").push(json!({"order_id": CONFIRMED}))).await;
        assert!(said.contains(CONFIRMED), "{said}");
    }
}
