//! Every kind of problem that the broker answers with, in one table, and what the core's refusals become.

use std::time::Duration;

use broker_core::reply::Refusal;
use serve::problem::{BODY_TOO_LARGE, INTERNAL, NOT_READY, OVERLOADED, Problem, Slug};

use crate::error::BrokerError;

macro_rules! slugs {
    ($($constant:ident $name:literal $status:literal $title:literal $help:literal)*) => {
        $(#[doc = $title] pub const $constant: Slug =
            Slug { name: $name, status: $status, title: $title, help: $help };)*
        /// The broker's own slugs; [`serve::problem::COMMON`] has the others.
        pub const TABLE: &[&Slug] = &[$(&$constant),*];
    };
}

slugs! {
    UNAUTHENTICATED "unauthenticated" 401 "A token is needed"
        "This broker has tokens, and the request carried none, or one that is unknown. Nothing was looked at or changed. Send the header Authorization: Bearer TOKEN; a token is made with `broker tokens create` or POST /tokens."
    FORBIDDEN "forbidden" 403 "The token does not allow this"
        "The token is known but lacks a role on a name; the detail and the members role and name say which. Nothing was changed. Use another token, or make one that allows it; GET /tokens lists what each allows."
    FOREIGN_PAGE "foreign-page" 403 "A page of another site asked for this"
        "A browser says by the header Origin or Sec-Fetch-Site that a page of another site made this request, or called the broker by a name that another site may have been given. Such a page must change nothing here, so nothing was. Call the broker from a program, or from its own console."
    QUEUE_NOT_FOUND "queue-not-found" 404 "There is no such queue"
        "No queue has this name, or it was removed. Make it with PUT /queues/NAME; GET /queues lists all that there are."
    TOPIC_NOT_FOUND "topic-not-found" 404 "There is no such topic"
        "No topic has this name, or it was removed. Make it with PUT /topics/NAME; GET /topics lists all that there are."
    SUBSCRIPTION_NOT_FOUND "subscription-not-found" 404 "There is no such subscription"
        "The queue is not subscribed to the topic. GET /topics/NAME lists the topic's subscriptions."
    MESSAGE_NOT_FOUND "message-not-found" 404 "There is no such message"
        "No message of this id, and source where one was given, waits there; it may have been consumed, removed or expired. Percent-encode the id in the path."
    DEAD_LETTER_NOT_FOUND "dead-letter-not-found" 404 "There is no such dead letter"
        "No dead letter of this queue has this id, and source where one was given; it may have been redriven or discarded. Percent-encode the id in the path."
    TOKEN_NOT_FOUND "token-not-found" 404 "There is no such token"
        "No token has this name, or it was revoked. GET /tokens lists all that there are."
    TOKEN_EXISTS "token-exists" 409 "There is such a token already"
        "A token of this name exists, and its text can't be shown again. Nothing was changed; revoke it first, or choose another name."
    LAST_TOKEN "last-token" 409 "The last token has to stay"
        "Without a token everybody who reaches the broker could do everything, and it can be reached from other machines. Nothing was changed. Make another token first; or let the broker listen on a loopback address, or start it with --allow-anonymous."
    REDRIVE_NOT_FOUND "redrive-not-found" 404 "There is no such redrive"
        "No paced redrive has this number; it may have been stopped, or have ended long ago. GET /redrives lists them."
    ALREADY_EXISTS "already-exists" 412 "It exists already"
        "The request carried If-None-Match: *, so it only creates, and what it would create exists. Nothing was changed; leave the header out to change settings."
    SETTING_CONFLICT "setting-conflict" 409 "This setting can't change now"
        "The ordering of a queue can't change while messages are ready, leased or delayed in it, nor a subscription's from once it is made. Nothing was changed; empty the queue first or use another one; for retained messages, replay them."
    QUEUE_NOT_EMPTY "queue-not-empty" 409 "The queue is not empty"
        "Something in the queue is ready, leased, delayed or dead. Nothing was changed; consume or purge it first, or add ?force=true to remove it with all that is in it."
    MESSAGE_LEASED "message-leased" 409 "The message is leased"
        "A consumer holds a message of this id at the moment. Nothing was changed; wait until it is settled or the lease runs out. Where messages of several sources share the id, ?source=SOURCE names the one to remove."
    NO_ROUTE "no-route" 409 "No queue takes this message"
        "The request carried Require-Route: true and a message of it would have waited in no queue: none is subscribed that its filter lets it into, or those that are had no room and miss what they have no room for. Nothing was stored, not as a dead letter either; subscribe a queue to the topic, or make room, and publish again."
    ID_REUSED "id-reused" 409 "The id was used for another message"
        "A message of this source and id, but with another type, subject, key, content type or data, was published here within the deduplication window. Nothing was stored; give each message an id of its own. In a batch, index names the event."
    QUEUE_FULL "queue-full" 429 "A queue is full"
        "The queue that the member queue names has reached max_messages or max_bytes. Nothing was stored in any queue; try again after the time in Retry-After, consume faster, or raise the limit."
    TOO_MANY_WATCHERS "too-many-watchers" 503 "Too many watch already"
        "As many streams of GET /events are open as this broker serves at a time (--max-watchers). End one that is not needed, or try again after the time in Retry-After."
    TOO_MANY_QUEUES "too-many-queues" 409 "There are too many queues and topics"
        "As many queues and topics exist together as this broker may hold; the member limit says how many. Nothing was made; those that exist can still be changed and used. It does not pass by itself: remove one that is not needed (DELETE /queues/NAME), or start the broker with a higher --max-queues."
    TOO_MANY_REDRIVES "too-many-redrives" 429 "There are too many paced redrives"
        "As many paced redrives run as may at a time, or they have as many dead letters before them as may; the detail says which, and the member limit how many. Nothing was started. Try again after the time in Retry-After, stop one that is not needed (DELETE /redrives/TASK), or start it with a limit or a filter; GET /redrives lists them."
    STORAGE_FULL "storage-full" 507 "The disk is full"
        "The disk that holds the broker's data has no room for more messages, or less than is to be left free (--min-free-space). Nothing was stored; acks and reads go on. Make room, then publish again."
}

/// How long to wait where the broker has too much to do.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// How long to wait for a paced redrive to end, which may take much longer.
const REDRIVE_PAUSE: Duration = Duration::from_secs(10);

impl From<BrokerError> for Problem {
    fn from(error: BrokerError) -> Self {
        let detail = error.to_string();
        match error {
            BrokerError::Refused(refusal) => refused(refusal, detail),
            BrokerError::StorageFull | BrokerError::BelowFloor { .. } => {
                Self::new(&STORAGE_FULL).detail(detail)
            }
            BrokerError::Busy => Self::new(&OVERLOADED).detail(detail).retry_after(BUSY_PAUSE),
            BrokerError::Stopped => Self::new(&NOT_READY).detail(detail).retry_after(BUSY_PAUSE),
            BrokerError::Unreadable(_) => {
                tracing::error!(error = %detail, "stored data could not be read");
                Self::new(&INTERNAL)
            }
        }
    }
}

fn refused(refusal: Refusal, detail: String) -> Problem {
    let slug = match &refusal {
        Refusal::QueueNotFound(_) => &QUEUE_NOT_FOUND,
        Refusal::TopicNotFound(_) => &TOPIC_NOT_FOUND,
        Refusal::SubscriptionNotFound { .. } => &SUBSCRIPTION_NOT_FOUND,
        Refusal::MessageNotFound => &MESSAGE_NOT_FOUND,
        Refusal::DeadLetterNotFound => &DEAD_LETTER_NOT_FOUND,
        Refusal::RedriveNotFound(_) => &REDRIVE_NOT_FOUND,
        Refusal::AlreadyExists => &ALREADY_EXISTS,
        Refusal::TooManyQueues { .. } => &TOO_MANY_QUEUES,
        Refusal::TooManyRedrives { .. } => &TOO_MANY_REDRIVES,
        Refusal::SettingConflict { .. } => &SETTING_CONFLICT,
        Refusal::QueueNotEmpty { .. } => {
            let detail = format!("{detail}; ?force=true removes it with all of them");
            return Problem::new(&QUEUE_NOT_EMPTY).detail(detail);
        }
        Refusal::MessageLeased => &MESSAGE_LEASED,
        Refusal::QueueFull { .. } => &QUEUE_FULL,
        Refusal::NoRoute { .. } => &NO_ROUTE,
        Refusal::IdReused { .. } => &ID_REUSED,
        Refusal::NeverFits { .. } => &BODY_TOO_LARGE,
        Refusal::ForeignReceipt { index } => {
            return Problem::invalid(format!("receipts[{index}]"), "is not a receipt of this queue");
        }
        Refusal::InvalidSetting { field, detail } => return Problem::invalid(*field, &**detail),
        _ => {
            tracing::error!(refusal = %detail, "a refusal that the api does not know");
            return Problem::new(&INTERNAL);
        }
    };
    with_members(Problem::new(slug).detail(detail), refusal)
}

/// What a client needs besides the words.
fn with_members(problem: Problem, refusal: Refusal) -> Problem {
    match refusal {
        Refusal::QueueFull { queue, retry_after } => {
            problem.member("queue", queue.as_str()).retry_after(retry_after)
        }
        Refusal::NeverFits { queue, limit } => {
            problem.member("queue", queue.as_str()).member("setting", limit)
        }
        Refusal::TooManyQueues { limit } => problem.member("limit", limit),
        Refusal::TooManyRedrives { limit, .. } => problem.member("limit", limit).retry_after(REDRIVE_PAUSE),
        Refusal::IdReused { index } | Refusal::NoRoute { index } => problem.member("index", index),
        Refusal::SettingConflict { setting } => problem.member("setting", setting),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_slug_is_listed_once_with_a_status_of_an_error() {
        let all: Vec<&Slug> = TABLE.iter().chain(serve::problem::COMMON).copied().collect();
        let names: HashSet<&str> = all.iter().map(|slug| slug.name).collect();
        assert_eq!(names.len(), all.len());
        assert!(all.iter().all(|slug| (400..600).contains(&slug.status) && !slug.help.is_empty()));
    }
}
