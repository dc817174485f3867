//! What an order costs: today's prices out of our own catalogue, never the client's.

use events::{Line, Money, Sku};
use serve::problem::Problem;

use super::request::{Wanted, refuse};
use crate::{catalogue::Catalogue, product::Product};

/// The lines at today's prices, and their sum.
pub(super) async fn price(catalogue: &Catalogue, wanted: &[Wanted]) -> Result<(Vec<Line>, Money), Problem> {
    let skus: Vec<Sku> = wanted.iter().map(|line| line.sku.clone()).collect();
    let products = catalogue.find(&skus).await?;
    let mut lines = Vec::with_capacity(wanted.len());
    let mut faults = Vec::new();
    for (index, (wanted, product)) in wanted.iter().zip(products).enumerate() {
        match product {
            Some(product) => lines.push(line(wanted, product)),
            None => faults
                .push((format!("lines[{index}].sku"), "there is no such product: GET /products lists them")),
        }
    }
    refuse(faults)?;
    let total = total(&lines)?;
    Ok((lines, total))
}

fn line(wanted: &Wanted, product: Product) -> Line {
    Line { sku: product.sku, name: product.name, quantity: wanted.quantity, price: product.price }
}

fn total(lines: &[Line]) -> Result<Money, Problem> {
    let mut total: Option<Money> = None;
    for (index, line) in lines.iter().enumerate() {
        let currency = total.map_or(line.price.currency, |total| total.currency);
        if line.price.currency != currency {
            let detail = format!("is priced in {}, the lines before it in {currency}", line.price.currency);
            return Err(Problem::invalid(format!("lines[{index}].sku"), detail));
        }
        let before = total.unwrap_or(Money::new(0, currency));
        let sum = line.price.times(line.quantity).and_then(|price| before.plus(price));
        let too_much = || Problem::invalid(format!("lines[{index}].quantity"), "makes the total too large");
        total = Some(sum.ok_or_else(too_much)?);
    }
    total.ok_or_else(|| Problem::invalid("lines", "has 1 to 100 lines"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_that_does_not_fit_or_mixes_currencies_is_refused_with_its_line() {
        let line = |amount, currency: &str, quantity| Line {
            sku: Sku::new("mug"),
            name: "Mug".to_owned(),
            quantity,
            price: Money::new(amount, events::Currency::parse(currency).unwrap()),
        };
        assert_eq!(total(&[line(1299, "EUR", 2), line(1, "EUR", 1)]).unwrap(), Money::eur(2599));
        assert!(total(&[line(1, "EUR", 1), line(i64::MAX, "EUR", 1)]).is_err());
        assert!(total(&[line(i64::MAX / 2, "EUR", 3)]).is_err());
        assert!(total(&[line(1, "EUR", 1), line(1, "USD", 1)]).is_err());
    }
}
