//! `GET /events`: what happens in the broker, as server-sent events, for live views. The code calls them
//! activities; what a watcher missed, and what was left out under load, is told among them.

mod query;
mod text;

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, Sse},
};
use broker_core::identity::Name;
use futures_util::{Stream, StreamExt as _, stream};
use serve::{extract::Query, problem::Problem};
use tokio::time::timeout;
use units::Timestamp;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    query::{EventsQuery, Run, Wanted},
    text::EventText,
};
use super::{Api, problem::TOO_MANY_WATCHERS, queues::look_into};
use crate::{
    auth::{Caller, grant::Role},
    engine::feed::{Batch, Position, Watcher},
};

/// How long the stream is silent at the most: proxies cut connections that are.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a browser waits before it comes again.
const COME_AGAIN: Duration = Duration::from_secs(2);

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Watch what happens in the broker, as server-sent events: in queues that the token may consume from, and what is
/// published to topics on which it has any role.
///
/// Each event has an `id`, the kind as its `event`, and JSON as its `data`. After a break, send the last
/// `id` as `Last-Event-ID` (browsers do so by themselves): the stream goes on behind it. What can't be
/// told any more is an event `skipped` with its `count`, null where the broker was started anew
/// meanwhile. Under load some activities are left out, told by `left-out` with their `count`; rare kinds
/// (failures, dead letters, redrives) have a share of their own. Comments keep the connection alive. The
/// stream ends when the broker stops, or when the token is revoked.
#[utoipa::path(get, path = "/events", operation_id = "watch", tag = "watching",
    params(
        EventsQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen", example = "1732508054563-84"),
    ),
    responses(
        (status = 200, description = "A stream without end. The kinds of events are those of the parameter `kind`, `left-out` and `skipped`; the data of each is this JSON", body = EventText, content_type = "text/event-stream"),
        (status = 403, description = "`forbidden`: a queue that the token may not consume from is asked for"),
        (status = 404, description = "`queue-not-found`"),
        (status = 503, description = "`too-many-watchers`: as many watch as may at a time"),
    ))]
async fn events(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let wanted = query.wanted()?;
    let run = Run::of(&api.broker);
    let resume = run.resume(&headers, &api.broker)?;
    for queue in &wanted.queues {
        caller.require(Role::Consume, queue)?;
        must_exist(&api, queue).await?;
    }
    let watcher = api.broker.watch(resume.after()).ok_or_else(too_many)?;
    let ready = VecDeque::from_iter(resume.is_of_another_run().then(|| unknown_gap(run)));
    let first = Event::default().retry(COME_AGAIN).comment("watching");
    let watch = Watch { api, caller, watcher, wanted, run, ready };
    let following = stream::unfold(watch, |mut watch| async { Some((watch.next().await?, watch)) });
    Ok(Sse::new(stream::iter([first]).chain(following).map(Ok)))
}

async fn must_exist(api: &Api, queue: &Name) -> Result<(), Problem> {
    look_into(api, queue, |_| ()).await
}

fn too_many() -> Problem {
    Problem::new(&TOO_MANY_WATCHERS).retry_after(Duration::from_secs(5))
}

/// The broker was started anew since: nobody knows how much happened.
fn unknown_gap(run: Run) -> Event {
    event(run, Position::default(), "skipped", &EventText::skipped(Timestamp::now(), None))
}

/// One stream.
struct Watch {
    api: Api,
    caller: Caller,
    watcher: Watcher,
    wanted: Wanted,
    run: Run,
    /// What goes out next.
    ready: VecDeque<Event>,
}

impl Watch {
    /// The next event; `None` when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        while self.ready.is_empty() {
            let broker = self.api.broker.clone();
            let told = tokio::select! {
                told = timeout(HEARTBEAT, self.watcher.next()) => told.ok(),
                () = broker.draining() => return None,
            };
            if !self.caller.is_known_to(&self.api.tokens) {
                return None;
            }
            match told {
                Some(batch) => self.take(&batch),
                None => self.ready.push_back(self.heartbeat()),
            }
        }
        self.ready.pop_front()
    }

    fn take(&mut self, batch: &Batch) {
        let Batch { skipped, items, after } = batch;
        if *skipped > 0 {
            let first = items.first().map_or(*after, |(position, _)| *position);
            let text = EventText::skipped(Timestamp::now(), Some(*skipped));
            self.ready.push_back(event(self.run, first.before(), "skipped", &text));
        }
        for (position, told) in items {
            if let Some((kind, text)) = EventText::of(told, &self.wanted, &self.caller) {
                self.ready.push_back(event(self.run, *position, kind, &text));
            }
        }
    }

    /// Says where the stream stands, so that what was not wanted is not told as skipped after a break.
    fn heartbeat(&self) -> Event {
        let beat = Event::default().comment("");
        match self.watcher.position() {
            Some(position) => beat.id(self.run.id(position)),
            None => beat,
        }
    }
}

fn event(run: Run, position: Position, kind: &str, text: &EventText) -> Event {
    let json = serde_json::to_string(text).expect("texts and numbers are always JSON");
    Event::default().id(run.id(position)).event(kind).data(json)
}
