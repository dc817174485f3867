//! The digests that stand for a message: of its id, of source and id, and of all that makes a repeat the
//! same message. Changing them would make stored messages unfindable.

use broker_core::identity::Identity;

/// The digest of an id alone.
pub(super) fn of_id(id: &str) -> u64 {
    first_eight(&blake3::hash(id.as_bytes()))
}

/// The digests of a message's identity. The source goes in behind its length, so that no other pair of
/// texts runs together to the same bytes.
pub(super) fn of_message(source: &str, id: &str) -> Identity {
    let mut hasher = blake3::Hasher::new();
    update(&mut hasher, source.as_bytes());
    hasher.update(id.as_bytes());
    let digest = hasher.finalize();
    let whole = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    Identity { whole: u128::from_le_bytes(*whole), id: of_id(id) }
}

/// What must be the same in a repeat of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    /// Its type.
    pub(super) kind: &'a str,
    /// Its subject.
    pub(super) subject: Option<&'a str>,
    /// Its partition key.
    pub(super) key: Option<&'a str>,
    /// The content type of its data.
    pub(super) content_type: Option<&'a str>,
    /// The data's bytes, whatever form they came in.
    pub(super) data: &'a [u8],
}

impl Content<'_> {
    /// A digest of all of it.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        update(&mut hasher, self.kind.as_bytes());
        for part in [self.subject, self.key, self.content_type] {
            hasher.update(&[u8::from(part.is_some())]);
            update(&mut hasher, part.unwrap_or_default().as_bytes());
        }
        hasher.update(self.data);
        first_eight(&hasher.finalize())
    }
}

fn update(hasher: &mut blake3::Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_le_bytes());
    hasher.update(part);
}

fn first_eight(digest: &blake3::Hash) -> u64 {
    u64::from_le_bytes(*digest.as_bytes().first_chunk().expect("a digest has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_and_id_do_not_run_together() {
        assert_ne!(of_message("/a", "bc"), of_message("/ab", "c"));
        assert_eq!(of_message("/a", "b").id, of_id("b"));
    }

    #[test]
    fn each_part_of_the_content_counts() {
        let content = Content { kind: "t", subject: None, key: None, content_type: None, data: b"" };
        let others = [
            Content { kind: "u", ..content },
            Content { subject: Some(""), ..content },
            Content { subject: Some("k"), ..content },
            Content { key: Some("k"), ..content },
            Content { content_type: Some("k"), ..content },
            Content { data: b"k", ..content },
        ];
        let prints: std::collections::HashSet<u64> =
            others.iter().chain([&content]).map(Content::fingerprint).collect();
        assert_eq!(prints.len(), others.len() + 1);
    }

    #[test]
    fn digests_stay_as_they_are_because_stored_messages_are_found_by_them() {
        let identity = of_message("/queues/jobs", "1");
        assert_eq!((identity.whole, identity.id), (of_message("/queues/jobs", "1").whole, of_id("1")));
    }
}
