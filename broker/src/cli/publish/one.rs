//! Publishing one message, in binary mode: the data goes out byte for byte.

use std::io;

use http::{Method, header};
use serde::Deserialize;

use super::{Publish, data};
use crate::cli::{
    call::Call,
    client::Client,
    human::{clean, things},
    output::Output,
};

/// The answer of one message, or of a batch, which a content type may have made of it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    One(Published),
    Batch { results: Vec<Published> },
}

/// How one message went.
#[derive(Deserialize)]
pub(super) struct Published {
    id: String,
    pub(super) duplicate: bool,
    queues: u64,
}

/// Publishes it.
pub(super) async fn publish(asked: Publish, client: &Client, out: &mut Output) -> anyhow::Result<()> {
    let Publish { to, data, attributes, options, .. } = asked;
    let url = to.url(client);
    let data = data.read()?;
    let content_type = attributes.content_type.as_deref().unwrap_or_else(|| data::content_type(&data));
    let call = Call::new(Method::POST, url).header(header::CONTENT_TYPE, content_type)?;
    let call = options.on(attributes.on(call)?)?;
    let body = client.body(call.body(data)).await?;
    out.answer(client, &body, |out, answer| match answer {
        Answer::One(published) => show(out, &published),
        Answer::Batch { results } => results.iter().try_for_each(|published| show(out, published)),
    })
}

fn show(out: &mut Output, published: &Published) -> io::Result<()> {
    let Published { id, duplicate, queues } = published;
    let id = clean(id);
    match duplicate {
        true => out.line(format_args!("{id} was published before: nothing was stored")),
        false => out.line(format_args!("{id} published to {}", things(*queues, "queue"))),
    }
}
