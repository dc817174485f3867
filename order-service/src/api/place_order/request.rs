//! The body of `POST /orders`, and what can be checked of it without looking anything up.

use email_address::{EmailAddress, Options};
use events::Sku;
use serde::{Deserialize, Serialize};
use serve::problem::{INVALID_FIELD, Problem};
use utoipa::ToSchema;

use crate::product::{is_name, is_sku};

/// The most lines of an order.
const MAX_LINES: usize = 100;
/// The most pieces of a line.
const MAX_QUANTITY: u32 = 1000;
/// The longest email address, in bytes.
const MAX_EMAIL: usize = 254;

/// An order as its customer asks for it. Prices are not asked for: they are the shop's.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlaceOrder {
    pub(super) customer: Orderer,
    /// What, at most one line a SKU.
    #[schema(min_items = 1, max_items = 100)]
    pub(super) lines: Vec<Wanted>,
    /// A reference at the payment gateway.
    #[schema(pattern = "^pm_[A-Za-z0-9_]{1,60}$", example = "pm_card_visa")]
    pub(super) payment_method: String,
}

/// Who orders.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Orderer {
    /// Whom the mails address; no control characters.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$",
        example = "Ada Lovelace"
    )]
    pub(super) name: String,
    /// Where the mails go.
    #[schema(format = Email, max_length = 254, example = "ada@example.com")]
    pub(super) email: String,
}

/// One line of what is asked for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Wanted {
    /// A product's SKU: GET /products lists them.
    #[schema(value_type = String, example = "mug", pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    pub(super) sku: Sku,
    /// How many.
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    pub(super) quantity: u32,
}

/// Checks what can be checked without looking anything up; all faults are told at once.
pub(super) fn check(request: &PlaceOrder) -> Result<(), Problem> {
    let mut faults: Vec<(String, &str)> = Vec::new();
    if !is_name(&request.customer.name) {
        let detail = "is 1 to 200 characters, not only blanks, without control characters";
        faults.push(("customer.name".to_owned(), detail));
    }
    if !is_email(&request.customer.email) {
        faults.push(("customer.email".to_owned(), "is not an email address such as ada@example.com"));
    }
    if !(1..=MAX_LINES).contains(&request.lines.len()) {
        faults.push(("lines".to_owned(), "has 1 to 100 lines"));
    }
    let mut seen = std::collections::HashSet::new();
    for (index, line) in request.lines.iter().enumerate().take(MAX_LINES) {
        if !is_sku(line.sku.as_str()) {
            faults.push((format!("lines[{index}].sku"), "is not a SKU: GET /products lists them"));
        } else if !seen.insert(&line.sku) {
            faults.push((format!("lines[{index}].sku"), "stands in an earlier line too; put them into one"));
        }
        if !(1..=MAX_QUANTITY).contains(&line.quantity) {
            faults.push((format!("lines[{index}].quantity"), "is 1 to 1000"));
        }
    }
    if !is_payment_method(&request.payment_method) {
        faults.push(("payment_method".to_owned(), "is pm_ and 1 to 60 of A-Z a-z 0-9 _"));
    }
    refuse(faults)
}

/// One problem of all the faults, if there are any.
pub(super) fn refuse<T: Into<String>>(faults: Vec<(String, T)>) -> Result<(), Problem> {
    if faults.is_empty() {
        return Ok(());
    }
    let problem = Problem::new(&INVALID_FIELD);
    Err(faults.into_iter().fold(problem, |problem, (field, detail)| problem.field(field, detail)))
}

fn is_email(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal();
    text.len() <= MAX_EMAIL
        && EmailAddress::parse_with_options(text, options).is_ok()
        && !text.chars().any(char::is_control)
}

fn is_payment_method(text: &str) -> bool {
    text.strip_prefix("pm_").is_some_and(|rest| {
        (1..=60).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_is_an_address_and_nothing_else() {
        for good in ["ada@example.com", "a.b+c@mail.example.org"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "ada", "ada@", "@example.com", "a b@example.com", "Ada <ada@example.com>", "a@b\r\n"]
        {
            assert!(!is_email(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_payment_method_is_a_reference_and_never_a_card_number() {
        assert!(is_payment_method("pm_card_visa"));
        let long = format!("pm_{}", "a".repeat(61));
        for bad in ["", "pm_", "4242424242424242", "pm_a-b", "PM_a", &long] {
            assert!(!is_payment_method(bad), "{bad}");
        }
    }
}
