//! What filters look at. Every message that is published to a topic brings its attributes along, whether or
//! not there is a filter, so they are one text and not many.

use std::fmt;

/// The attributes of one event with their values as texts, in any order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Name, value, name, value and so on.
    text: String,
    /// Where each name and its value end in it.
    ends: Vec<(usize, usize)>,
}

impl Attributes {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { text: String::new(), ends: Vec::new() }
    }

    /// None yet, with room for so many whose names and values have so many bytes.
    #[must_use]
    pub fn with_capacity(count: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(count) }
    }

    /// Adds one.
    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let end_of_name = self.text.len();
        self.text.push_str(value);
        self.ends.push((end_of_name, self.text.len()));
    }

    /// The value of one; of the first of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Names and values as they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        let parts = starts.zip(&self.ends);
        parts.map(|(start, (middle, end))| (&self.text[start..*middle], &self.text[*middle..*end]))
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(attributes: I) -> Self {
        let mut all = Self::new();
        attributes.into_iter().for_each(|(name, value)| all.push(name.as_ref(), value.as_ref()));
        all
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_given_back_as_they_were_added() {
        let all = [("type", "order.placed"), ("subject", ""), ("region", "ö")];
        let attributes: Attributes = all.into_iter().collect();
        assert_eq!(attributes.iter().collect::<Vec<_>>(), all);
        assert_eq!(all.map(|(name, _)| attributes.get(name)), all.map(|(_, value)| Some(value)));
        assert_eq!((attributes.get("typ"), Attributes::new().get("type")), (None, None));
    }
}
