//! W3C trace context: the `traceparent` of an event, read and made. Which spans there are is not told here.

use std::{fmt, str::FromStr};

use rand::RngExt as _;

/// `00-{trace id, 32 hex}-{parent span id, 16 hex}-{flags, 2 hex}`, by W3C Trace Context level 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// Why a text is not a trace context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent")]
pub struct InvalidTraceContext;

/// The flag that says that the trace is recorded.
const SAMPLED: u8 = 1;

impl TraceContext {
    /// The start of a new, recorded trace.
    #[must_use]
    pub fn start() -> Self {
        let mut rng = rand::rng();
        Self {
            trace_id: rng.random_range(1..=u128::MAX),
            span_id: rng.random_range(1..=u64::MAX),
            flags: SAMPLED,
        }
    }

    /// The same trace, one span below.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span_id: rand::rng().random_range(1..=u64::MAX), ..self }
    }

    /// The trace's id: 32 hex digits.
    #[must_use]
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The id of the span that speaks: 16 hex digits.
    #[must_use]
    pub fn span_id(self) -> String {
        format!("{:016x}", self.span_id)
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.flags & SAMPLED == SAMPLED
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceContext;

    /// A later version than ours is read as far as ours goes, as the standard asks.
    fn from_str(text: &str) -> Result<Self, InvalidTraceContext> {
        let mut fields = text.split('-');
        let mut next = |length: usize| {
            let field = fields.next().filter(|field| field.len() == length)?;
            let hex = field.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            u128::from_str_radix(field, 16).ok().filter(|_| hex)
        };
        let (version, trace_id, span_id, flags) =
            (next(2), next(32).filter(|id| *id != 0), next(16).filter(|id| *id != 0), next(2));
        match (version, trace_id, span_id, flags, fields.next()) {
            (Some(0xff), ..) | (Some(0), _, _, _, Some(_)) => Err(InvalidTraceContext),
            (Some(_), Some(trace_id), Some(span_id), Some(flags), _) => {
                let span_id = u64::try_from(span_id).map_err(|_| InvalidTraceContext)?;
                let flags = u8::try_from(flags).map_err(|_| InvalidTraceContext)?;
                Ok(Self { trace_id, span_id, flags })
            }
            _ => Err(InvalidTraceContext),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let context = TraceContext::start();
        assert_eq!(context.to_string().parse(), Ok(context));
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(text.parse::<TraceContext>().unwrap().to_string(), text);
    }

    #[test]
    fn a_child_stays_in_the_trace_and_has_a_span_of_its_own() {
        let parent = TraceContext::start();
        let child = parent.child();
        assert_eq!((child.trace_id(), child.is_sampled()), (parent.trace_id(), true));
        assert_ne!(child.span_id(), parent.span_id());
    }

    #[test]
    fn a_later_version_is_read_as_far_as_ours_goes() {
        assert!(
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more".parse::<TraceContext>().is_ok()
        );
    }

    #[test]
    fn what_is_no_trace_context_is_refused() {
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(text.parse::<TraceContext>(), Err(InvalidTraceContext), "{text}");
        }
    }
}
