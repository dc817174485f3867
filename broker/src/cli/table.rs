//! Tables without lines, so that `grep` and `awk` take them: a row a line, wrapped only where they would be
//! wider than the terminal.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Width, presets::NOTHING};
use owo_colors::OwoColorize as _;

use super::human::{beginning, clean};

/// The blanks between columns.
const GAP: u16 = 2;
/// What a column for texts keeps at least when there is not enough room for all.
const LEAST_TEXT: u16 = 12;

/// How many lines of a row a list shows at the most.
const MOST_LINES: usize = 4;

/// How many lines of a row anything else shows.
const MOST_LINES_OF_ALL: usize = 200;

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
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    /// Whether a wrapped row ends after a few lines: a list is for looking over.
    clipped: bool,
}

impl Table {
    /// No rows yet.
    pub(super) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new(), clipped: true }
    }

    /// With all of each row, however many lines it takes.
    pub(super) fn whole(self) -> Self {
        Self { clipped: false, ..self }
    }

    /// Names and values under one title.
    pub(super) fn facts(title: &'static str, facts: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut table = Self::new(&[Column::Name(title), Column::Text("")]).whole();
        facts.into_iter().for_each(|(name, value)| table.row([name, value]));
        table
    }

    /// Adds a row, one cell a column.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell a column");
        self.rows.push(cells.map(|cell| clean(&cell).replace(['\n', '\t'], " ")).to_vec());
    }

    /// As text of at most `width` columns, where there is a limit.
    pub(super) fn render(self, width: Option<u16>) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_header(self.columns.iter().map(|column| Cell::new(column.title())));
        for (shown, column) in table.column_iter_mut().zip(&self.columns) {
            shown.set_padding((0, GAP));
            if matches!(column, Column::Figure(_)) {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        match width {
            Some(width) => self.fill_within(&mut table, width),
            None => _ = table.add_rows(self.rows),
        }
        let text = table.trim_fmt();
        let (header, rows) = text.split_once('\n').unwrap_or((&text, ""));
        let rows = if rows.is_empty() { String::new() } else { format!("\n{rows}") };
        format!("{}{rows}", header.bold())
    }

    fn fill_within(self, table: &mut comfy_table::Table, width: u16) {
        let lines = if self.clipped { MOST_LINES } else { MOST_LINES_OF_ALL };
        for cells in self.rows {
            let mut row =
                // To wrap all of a long text takes the square of its length.
                Row::from(cells.into_iter().map(|cell| beginning(cell, lines * usize::from(width))));
            row.max_height(lines);
            table.add_row(row);
        }
        // The last column's gap is trimmed off.
        let width = width.saturating_add(GAP);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        constrain(table, &self.columns, width);
    }
}

/// Gives names and figures the room that they need, as far as the texts keep some too.
fn constrain(table: &mut comfy_table::Table, columns: &[Column], width: u16) {
    let needed = table.column_max_content_widths();
    let is_text = |column: &Column| matches!(column, Column::Text(_));
    let least = columns.iter().zip(&needed).map(|(column, needed)| {
        let needed = if is_text(column) { LEAST_TEXT.min(*needed) } else { *needed };
        u32::from(GAP) + u32::from(needed)
    });
    if least.sum::<u32>() > width.into() {
        return;
    }
    for ((shown, column), needed) in table.column_iter_mut().zip(columns).zip(needed) {
        if !is_text(column) {
            shown.set_constraint(ColumnConstraint::Absolute(Width::Fixed(needed + GAP)));
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
    fn a_long_text_is_clipped_in_a_list_and_whole_elsewhere() {
        let lines = rendered(["a", "12", &"no answer ".repeat(300)], Some(80));
        assert!(lines.len() == 1 + MOST_LINES && lines[MOST_LINES].ends_with('…'), "{lines:?}");
        let facts = [("reason".to_owned(), "no answer ".repeat(300).trim_end().to_owned())];
        let whole = Table::facts("FACTS", facts).render(Some(80));
        assert_eq!(whole.matches("answer").count(), 300);
    }

    #[test]
    fn what_is_wider_than_any_terminal_is_no_trouble() {
        for width in [None, Some(1), Some(80), Some(1000)] {
            assert!(!rendered([&"x".repeat(70_000), "12", &"y".repeat(70_000)], width).is_empty());
        }
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
