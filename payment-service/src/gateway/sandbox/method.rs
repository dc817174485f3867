//! The sandbox's test methods, as Stripe has them. They act on the authorization only.

/// What a payment method does when an authorization is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Works.
    Works,
    /// Is declined, with this code.
    Declined(&'static str),
    /// Answers 503 twice, then works.
    FailsTwice,
    /// Answers 503 always.
    Unavailable,
    /// Authorizes, and never answers the call that did.
    SilentAfterAuthorize,
}

impl Method {
    /// What the method of that name does; one that the sandbox does not know is declined.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "pm_card_visa" | "pm_card_mastercard" => Self::Works,
            "pm_card_chargeDeclined" => Self::Declined("card_declined"),
            "pm_card_chargeDeclinedInsufficientFunds" => Self::Declined("insufficient_funds"),
            "pm_sandbox_failTwice" => Self::FailsTwice,
            "pm_sandbox_unavailable" => Self::Unavailable,
            "pm_sandbox_timeoutAfterAuthorize" => Self::SilentAfterAuthorize,
            _ => Self::Declined("unknown_payment_method"),
        }
    }
}
