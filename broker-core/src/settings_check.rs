//! What settings may be set to: a change of settings applied to the present ones, or why it can't be.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    reply::Refusal,
    settings::{
        Backoff, BackoffPatch, MAX_LEASE, MIN_LEASE, QueueSettings, QueueSettingsPatch, TopicSettings,
        TopicSettingsPatch,
    },
};

fn check(right: bool, field: &'static str, detail: impl fmt::Display) -> Result<(), Refusal> {
    if right { Ok(()) } else { Err(Refusal::InvalidSetting { field, detail: Arc::from(detail.to_string()) }) }
}

/// Checks the length of a lease, wherever it is given.
pub(crate) fn check_lease(lease: Duration) -> Result<(), Refusal> {
    check((MIN_LEASE..=MAX_LEASE).contains(&lease), "lease", "a lease is 100ms to 12h")
}

/// Checks the pace of a redrive.
pub(crate) fn check_pace(per_second: u32) -> Result<(), Refusal> {
    check((1..=100_000).contains(&per_second), "per_second", "1 to 100000")
}

impl QueueSettings {
    /// These settings with a change applied.
    ///
    /// # Errors
    /// [`Refusal::InvalidSetting`] with the first that is out of its range.
    pub(crate) fn patched(&self, patch: QueueSettingsPatch) -> Result<Self, Refusal> {
        let backoff = self.backoff.patched(patch.backoff)?;
        let settings = Self {
            lease: patch.lease.unwrap_or(self.lease),
            max_deliveries: patch.max_deliveries.unwrap_or(self.max_deliveries),
            backoff,
            ordering: patch.ordering.unwrap_or(self.ordering),
            deduplication_window: patch.deduplication_window.unwrap_or(self.deduplication_window),
            max_deduplication_ids: patch.max_deduplication_ids.unwrap_or(self.max_deduplication_ids),
            max_messages: patch.max_messages.unwrap_or(self.max_messages),
            max_bytes: patch.max_bytes.unwrap_or(self.max_bytes),
            overflow: patch.overflow.unwrap_or(self.overflow),
            delay: patch.delay.unwrap_or(self.delay),
            ttl: patch.ttl.unwrap_or(self.ttl),
            on_expiry: patch.on_expiry.unwrap_or(self.on_expiry),
            dead_letter_retention: patch.dead_letter_retention.unwrap_or(self.dead_letter_retention),
            max_dead_letters: patch.max_dead_letters.unwrap_or(self.max_dead_letters),
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), Refusal> {
        check_lease(self.lease)?;
        check(self.max_deliveries >= 1, "max_deliveries", "at least 1")?;
        check(self.max_deduplication_ids >= 1, "max_deduplication_ids", "at least 1")?;
        check(self.max_messages >= 1, "max_messages", "at least 1")?;
        check(self.max_bytes.get() >= 1, "max_bytes", "at least 1")?;
        check(
            self.ttl.is_none_or(|ttl| ttl >= Duration::from_millis(1)),
            "ttl",
            "at least 1ms, or null for none",
        )
    }
}

impl Backoff {
    fn patched(self, patch: BackoffPatch) -> Result<Self, Refusal> {
        let backoff = Self {
            initial: patch.initial.unwrap_or(self.initial),
            factor: patch.factor.unwrap_or(self.factor),
            max: patch.max.unwrap_or(self.max),
            jitter: patch.jitter.unwrap_or(self.jitter),
        };
        let at_fault = if patch.initial.is_some() { "backoff.initial" } else { "backoff.max" };
        check(backoff.factor.is_finite() && backoff.factor >= 1.0, "backoff.factor", "1 or more")?;
        check((0.0..=1.0).contains(&backoff.jitter), "backoff.jitter", "0 to 1")?;
        check(backoff.initial <= backoff.max, at_fault, "initial is at most max")?;
        Ok(backoff)
    }
}

impl TopicSettings {
    /// These settings with a change applied.
    ///
    /// # Errors
    /// [`Refusal::InvalidSetting`] with the first that is out of its range.
    pub(crate) fn patched(&self, patch: &TopicSettingsPatch) -> Result<Self, Refusal> {
        let settings = Self {
            retention: patch.retention.unwrap_or(self.retention),
            retention_bytes: patch.retention_bytes.unwrap_or(self.retention_bytes),
            deduplication_window: patch.deduplication_window.unwrap_or(self.deduplication_window),
            max_deduplication_ids: patch.max_deduplication_ids.unwrap_or(self.max_deduplication_ids),
        };
        check(settings.retention_bytes.get() >= 1, "retention_bytes", "at least 1")?;
        check(settings.max_deduplication_ids >= 1, "max_deduplication_ids", "at least 1")?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_field(patch: QueueSettingsPatch) -> Option<&'static str> {
        match QueueSettings::default().patched(patch) {
            Err(Refusal::InvalidSetting { field, .. }) => Some(field),
            _ => None,
        }
    }

    fn backoff(backoff: BackoffPatch) -> QueueSettingsPatch {
        QueueSettingsPatch { backoff, ..Default::default() }
    }

    #[test]
    fn each_setting_out_of_its_range_is_named() {
        let lease = |ms| QueueSettingsPatch { lease: Some(Duration::from_millis(ms)), ..Default::default() };
        assert_eq!(refused_field(lease(99)), Some("lease"));
        assert_eq!(refused_field(lease(100)), None);
        assert_eq!(refused_field(lease(12 * 3_600_000)), None);
        assert_eq!(refused_field(lease(12 * 3_600_000 + 1)), Some("lease"));
        let none = QueueSettingsPatch { max_deliveries: Some(0), ..Default::default() };
        assert_eq!(refused_field(none), Some("max_deliveries"));
        let none = QueueSettingsPatch { max_messages: Some(0), ..Default::default() };
        assert_eq!(refused_field(none), Some("max_messages"));
        let none = QueueSettingsPatch { ttl: Some(Some(Duration::ZERO)), ..Default::default() };
        assert_eq!(refused_field(none), Some("ttl"));
    }

    #[test]
    fn a_backoff_grows_from_initial_to_max_with_jitter_up_to_the_whole() {
        let factor =
            |factor| refused_field(backoff(BackoffPatch { factor: Some(factor), ..Default::default() }));
        assert_eq!(
            (factor(1.0), factor(0.99), factor(f64::NAN)),
            (None, Some("backoff.factor"), Some("backoff.factor"))
        );
        let jitter =
            |jitter| refused_field(backoff(BackoffPatch { jitter: Some(jitter), ..Default::default() }));
        assert_eq!(
            (jitter(1.0), jitter(1.1), jitter(-0.1)),
            (None, Some("backoff.jitter"), Some("backoff.jitter"))
        );
        let minutes = |n| Some(Duration::from_mins(n));
        let long_start = BackoffPatch { initial: minutes(2), ..Default::default() };
        assert_eq!(refused_field(backoff(long_start)), Some("backoff.initial"));
        let short_end = BackoffPatch { max: Some(Duration::from_millis(1)), ..Default::default() };
        assert_eq!(refused_field(backoff(short_end)), Some("backoff.max"));
    }

    #[test]
    fn what_a_change_does_not_name_keeps_its_value() {
        let first = QueueSettings::default();
        let patch = QueueSettingsPatch { ttl: Some(Some(Duration::from_secs(9))), ..Default::default() };
        let second = first.patched(patch).unwrap();
        assert_eq!(second, QueueSettings { ttl: Some(Duration::from_secs(9)), ..first.clone() });
        assert_eq!(
            second.patched(QueueSettingsPatch { ttl: Some(None), ..Default::default() }).unwrap(),
            first
        );
    }
}
