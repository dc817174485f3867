//! Tables without lines, so that `grep` and `awk` take them: a row a line, wrapped only where they would be
//! wider than the terminal.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Width, presets::NOTHING};
use owo_colors::OwoColorize as _;

use super::human::clean;

/// The blanks between columns.
const GAP: u16 = 2;
/// What a column for texts keeps at least when there is not enough room for all.
const LEAST_TEXT: u16 = 12;

/// How a column is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    /// A name, an id, a time: whole, where that is possible at all.
    Name(&'static str),
    /// A figure: whole, to the right.
    Figure(&'static str),
    /// Anything else: wrapped where there is no room.
    Text(&'static str),
}

/// Rows under a header.
#[derive(Debug)]
pub(super) struct Table {
    table: comfy_table::Table,
    columns: Vec<Column>,
}

impl Table {
    /// No rows yet.
    pub(super) fn new(columns: &[Column]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_header(columns.iter().map(|column| Cell::new(column.title())));
        for (shown, column) in table.column_iter_mut().zip(columns) {
            shown.set_padding((0, GAP));
            if matches!(column, Column::Figure(_)) {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { table, columns: columns.to_vec() }
    }

    /// Names and values under one title.
    pub(super) fn facts(title: &'static str, facts: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut table = Self::new(&[Column::Name(title), Column::Text("")]);
        facts.into_iter().for_each(|(name, value)| table.row([name, value]));
        table
    }

    /// Adds a row, one cell a column.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell a column");
        let one_line = |cell: String| clean(&cell).replace(['\n', '\t'], " ");
        self.table.add_row(Row::from(cells.map(one_line)));
    }

    /// As text of at most `width` columns, where there is a limit.
    pub(super) fn render(mut self, width: Option<u16>) -> String {
        if let Some(width) = width {
            // The last column's gap is trimmed off.
            self.table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width + GAP);
            self.constrain(width + GAP);
        }
        let text = self.table.trim_fmt();
        let (header, rows) = text.split_once('\n').unwrap_or((&text, ""));
        let rows = if rows.is_empty() { String::new() } else { format!("\n{rows}") };
        format!("{}{rows}", header.bold())
    }

    /// Gives names and figures the room that they need, as far as the texts keep some too.
    fn constrain(&mut self, width: u16) {
        let needed = self.table.column_max_content_widths();
        let is_text = |column: &Column| matches!(column, Column::Text(_));
        let least: u16 = self
            .columns
            .iter()
            .zip(&needed)
            .map(|(column, needed)| GAP + if is_text(column) { LEAST_TEXT.min(*needed) } else { *needed })
            .sum();
        if least > width {
            return;
        }
        for ((shown, column), needed) in self.table.column_iter_mut().zip(&self.columns).zip(needed) {
            if !is_text(column) {
                shown.set_constraint(ColumnConstraint::Absolute(Width::Fixed(needed + GAP)));
            }
        }
    }
}

impl Column {
    const fn title(self) -> &'static str {
        match self {
            Self::Name(title) | Self::Figure(title) | Self::Text(title) => title,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(cells: [&str; 3], width: Option<u16>) -> Vec<String> {
        let mut table = Table::new(&[Column::Name("ID"), Column::Figure("SEEN"), Column::Text("REASON")]);
        table.row(cells.map(ToOwned::to_owned));
        let text = anstream::adapter::strip_str(&table.render(width)).to_string();
        text.lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn a_table_without_a_limit_has_a_row_a_line() {
        let reason = "no answer ".repeat(30);
        let lines = rendered(["a", "12", &reason], None);
        assert_eq!(lines, ["ID  SEEN  REASON".to_owned(), format!("a     12  {}", reason.trim_end())]);
    }

    #[test]
    fn texts_are_wrapped_within_the_limit_and_names_stay_whole() {
        let id = "01a20d71-d8a3-7031-8788-455592fcdbb8";
        let lines = rendered([id, "12", &"no answer ".repeat(30)], Some(80));
        assert!(lines.len() > 3 && lines[1].starts_with(id), "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
    }

    #[test]
    fn names_that_can_not_fit_are_wrapped_too() {
        let lines = rendered([&"x".repeat(200), "12", "no answer"], Some(80));
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
    }

    #[test]
    fn a_cell_is_one_line_whatever_is_in_it() {
        let lines = rendered(["a", "1", "two\nlines \u{1b}[31mred"], None);
        assert_eq!(lines[1], "a      1  two lines \\u{1b}[31mred");
    }
}
