//! A word of an enumeration.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{IntoDeserializer as _, value::CowStrDeserializer},
};

/// One of an enumeration's words, as a text. Serde alone would take `{"reject":null}` for it too.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Word<T>(pub(in crate::api) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word: CowStrDeserializer<'_, D::Error> =
            Cow::<str>::deserialize(deserializer)?.into_deserializer();
        T::deserialize(word).map(Self)
    }
}
