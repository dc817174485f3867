//! Batch mode: an array of events, each as in structured mode. A fault names the event's place.

use serde_json::value::RawValue;
use serve::problem::Problem;

use super::{draft::Draft, fault::Fault, structured, too_large};

/// Reads a batch of events, each with at most `limit` bytes of data.
pub(super) fn read(text: &str, limit: usize) -> Result<Vec<Draft<'_>>, Problem> {
    let json: &RawValue = serde_json::from_str(text).map_err(|error| structured::malformed(&error))?;
    let events: Vec<&RawValue> = serde_json::from_str(json.get())
        .map_err(|_| Fault::of("body", "is not a batch: a JSON array of events"))?;
    if events.is_empty() {
        return Err(Fault::of("body", "is an empty batch").into());
    }
    let too_large = |index: usize| too_large(limit).member("index", index);
    let mut drafts = Vec::with_capacity(events.len());
    for (index, json) in events.into_iter().enumerate() {
        let draft = structured::event(json).map_err(|fault: Fault| fault.at(index))?;
        drafts.push(draft.fits(json.get().len(), limit).then_some(draft).ok_or_else(|| too_large(index))?);
    }
    Ok(drafts)
}
