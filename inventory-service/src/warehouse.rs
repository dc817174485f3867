//! The stock that some orders are about, and what the steps of their reservations do to it, one after the
//! other. Pure: no I/O. `store` reads it and writes it back.

use std::collections::BTreeMap;

use events::{Sku, StockLine};

use crate::{
    reservation::{State, Step},
    stock::Stock,
};

/// The stock in hand, by SKU.
#[derive(Clone, Debug, Default)]
pub struct Warehouse(BTreeMap<Sku, Stock>);

/// What a step came to: for the others to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// There is nothing to tell.
    Quietly,
    /// All lines are held.
    Reserved(Vec<StockLine>),
    /// There was too little of these.
    Rejected(Vec<Sku>),
    /// These are free again.
    Released(Vec<StockLine>),
}

impl Warehouse {
    /// One with that stock.
    #[must_use]
    pub fn of(stock: impl IntoIterator<Item = Stock>) -> Self {
        Self(stock.into_iter().map(|stock| (stock.sku.clone(), stock)).collect())
    }

    /// All that is in hand, by SKU.
    pub fn stock(&self) -> impl Iterator<Item = &Stock> {
        self.0.values()
    }

    /// Carries out a step for an order's lines, one a SKU. Answers the reservation's state from now on, where
    /// the step changes it, and what there is to tell.
    pub fn carry_out(&mut self, step: Step, lines: &[StockLine]) -> (Option<State>, Done) {
        match step {
            Step::Nothing => (None, Done::Quietly),
            Step::Reserve => self.reserve(lines),
            Step::Commit => {
                self.each(lines, Stock::commit);
                (Some(State::Committed), Done::Quietly)
            }
            Step::Release => {
                self.each(lines, Stock::let_go);
                (Some(State::Released), Done::Released(lines.to_vec()))
            }
            Step::PutBack => {
                self.each(lines, Stock::put_back);
                (Some(State::Released), Done::Released(lines.to_vec()))
            }
            Step::Bury => (Some(State::Released), Done::Quietly),
        }
    }

    /// Holds all lines, or none.
    fn reserve(&mut self, lines: &[StockLine]) -> (Option<State>, Done) {
        let short: Vec<Sku> =
            lines.iter().filter(|line| self.is_short_of(line)).map(|line| line.sku.clone()).collect();
        if !short.is_empty() {
            return (Some(State::Rejected), Done::Rejected(short));
        }
        self.each(lines, Stock::hold);
        (Some(State::Reserved), Done::Reserved(lines.to_vec()))
    }

    fn is_short_of(&self, line: &StockLine) -> bool {
        self.0.get(&line.sku).is_none_or(|stock| stock.available() < i64::from(line.quantity))
    }

    fn each(&mut self, lines: &[StockLine], change: impl Fn(&mut Stock, i64)) {
        for line in lines {
            if let Some(stock) = self.0.get_mut(&line.sku) {
                change(stock, i64::from(line.quantity));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warehouse(pieces: &[(&str, i64)]) -> Warehouse {
        Warehouse::of(pieces.iter().map(|(sku, on_hand)| Stock {
            sku: Sku::new(sku),
            on_hand: *on_hand,
            reserved: 0,
            received: *on_hand,
            committed: 0,
        }))
    }

    fn lines(lines: &[(&str, u32)]) -> Vec<StockLine> {
        lines.iter().map(|(sku, quantity)| StockLine { sku: Sku::new(sku), quantity: *quantity }).collect()
    }

    /// On hand, reserved and committed pieces, by SKU.
    fn pieces(warehouse: &Warehouse) -> Vec<(i64, i64, i64)> {
        warehouse.stock().map(|stock| (stock.on_hand, stock.reserved, stock.committed)).collect()
    }

    #[test]
    fn the_last_pieces_go_to_the_first_who_asks() {
        let mut warehouse = warehouse(&[("mug", 3)]);
        let two = lines(&[("mug", 2)]);
        assert_eq!(
            warehouse.carry_out(Step::Reserve, &two),
            (Some(State::Reserved), Done::Reserved(two.clone()))
        );
        let short = Done::Rejected(vec![Sku::new("mug")]);
        assert_eq!(warehouse.carry_out(Step::Reserve, &two), (Some(State::Rejected), short));
        assert_eq!(pieces(&warehouse), [(3, 2, 0)]);
    }

    #[test]
    fn where_there_is_too_little_of_one_line_none_is_held() {
        let mut warehouse = warehouse(&[("grinder", 1), ("mug", 5)]);
        let (state, done) =
            warehouse.carry_out(Step::Reserve, &lines(&[("grinder", 2), ("mug", 1), ("unheard-of", 1)]));
        assert_eq!(state, Some(State::Rejected));
        assert_eq!(done, Done::Rejected(vec![Sku::new("grinder"), Sku::new("unheard-of")]));
        assert_eq!(pieces(&warehouse), [(1, 0, 0), (5, 0, 0)]);
    }

    #[test]
    fn what_left_comes_back() {
        let mut warehouse = warehouse(&[("mug", 5)]);
        let two = lines(&[("mug", 2)]);
        for (step, wanted) in
            [(Step::Reserve, (5, 2, 0)), (Step::Commit, (3, 0, 2)), (Step::PutBack, (5, 0, 0))]
        {
            warehouse.carry_out(step, &two);
            assert_eq!(pieces(&warehouse), [wanted], "{step:?}");
        }
    }
}
