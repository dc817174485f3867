//! Lists that come in pages: as many pages as are needed, put together into one document.

use bytes::Bytes;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use super::{client::Client, failure::Failure, human::clean, output::remark};

/// How many items the contract gives at a time at the most.
const PAGE: usize = 1000;

/// How many items are shown when nobody says.
const DEFAULT_LIMIT: usize = 100;

/// How much of a list to show.
#[derive(Args, Debug)]
pub(super) struct Paging {
    /// How many to show at the most
    #[arg(long, value_name = "N", default_value_t = DEFAULT_LIMIT, value_parser = at_least_one)]
    limit: usize,
    /// Go on where a list ended: the `next_cursor` of its JSON
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, cursor: None }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "is a whole number from 1 on".to_owned())
}

/// A list, or a page of one.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Where the next page starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// Reads a list whole.
pub(super) async fn all(client: &Client, url: Url) -> Result<Bytes, Failure> {
    gather(client, url, usize::MAX, None).await
}

/// Reads as much of a list as is wanted.
pub(super) async fn some(client: &Client, url: Url, paging: &Paging) -> Result<Bytes, Failure> {
    gather(client, url, paging.limit, paging.cursor.clone()).await
}

async fn gather(
    client: &Client,
    url: Url,
    limit: usize,
    mut cursor: Option<String>,
) -> Result<Bytes, Failure> {
    let mut list = Page::default();
    loop {
        let body = client.get(with(&url, limit - list.items.len(), cursor.as_deref())).await?;
        let mut page: Page<Box<RawValue>> = client.read(&body)?;
        let is_whole = page.next_cursor.is_none() || list.items.len() + page.items.len() >= limit;
        if is_whole && list.items.is_empty() {
            return Ok(body);
        }
        list.items.append(&mut page.items);
        if is_whole {
            list.next_cursor = page.next_cursor;
            return Ok(serde_json::to_vec(&list).expect("what was read as JSON is JSON").into());
        }
        cursor = page.next_cursor;
    }
}

fn with(url: &Url, limit: usize, cursor: Option<&str>) -> Url {
    let mut url = url.clone();
    let limit = limit.min(PAGE).to_string();
    let cursor = cursor.map(|cursor| ("cursor", cursor));
    url.query_pairs_mut().append_pair("limit", &limit).extend_pairs(cursor);
    url
}

impl<T> Page<T> {
    /// Says that there is more, where there is.
    pub(super) fn remark_on_rest(&self) {
        if let Some(cursor) = &self.next_cursor {
            remark(format_args!(
                "there is more: --limit shows more at once, --cursor {} goes on",
                clean(cursor)
            ));
        }
    }
}
