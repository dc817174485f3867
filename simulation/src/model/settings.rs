//! Settings with a change applied. The simulated clients ask for nothing out of its range.

use broker_core::settings::{Backoff, QueueSettings, QueueSettingsPatch, TopicSettings, TopicSettingsPatch};

pub(super) fn queue(before: &QueueSettings, patch: &QueueSettingsPatch) -> QueueSettings {
    let backoff = before.backoff;
    QueueSettings {
        lease: patch.lease.unwrap_or(before.lease),
        max_deliveries: patch.max_deliveries.unwrap_or(before.max_deliveries),
        backoff: Backoff {
            initial: patch.backoff.initial.unwrap_or(backoff.initial),
            factor: patch.backoff.factor.unwrap_or(backoff.factor),
            max: patch.backoff.max.unwrap_or(backoff.max),
            jitter: patch.backoff.jitter.unwrap_or(backoff.jitter),
        },
        ordering: patch.ordering.unwrap_or(before.ordering),
        deduplication_window: patch.deduplication_window.unwrap_or(before.deduplication_window),
        max_deduplication_ids: patch.max_deduplication_ids.unwrap_or(before.max_deduplication_ids),
        max_messages: patch.max_messages.unwrap_or(before.max_messages),
        max_bytes: patch.max_bytes.unwrap_or(before.max_bytes),
        overflow: patch.overflow.unwrap_or(before.overflow),
        delay: patch.delay.unwrap_or(before.delay),
        ttl: patch.ttl.unwrap_or(before.ttl),
        on_expiry: patch.on_expiry.unwrap_or(before.on_expiry),
        dead_letter_retention: patch.dead_letter_retention.unwrap_or(before.dead_letter_retention),
        max_dead_letters: patch.max_dead_letters.unwrap_or(before.max_dead_letters),
    }
}

pub(super) fn topic(before: &TopicSettings, patch: &TopicSettingsPatch) -> TopicSettings {
    TopicSettings {
        retention: patch.retention.unwrap_or(before.retention),
        retention_bytes: patch.retention_bytes.unwrap_or(before.retention_bytes),
        deduplication_window: patch.deduplication_window.unwrap_or(before.deduplication_window),
        max_deduplication_ids: patch.max_deduplication_ids.unwrap_or(before.max_deduplication_ids),
    }
}
