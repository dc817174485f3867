//! One activity of the broker's, as a line.

use owo_colors::OwoColorize as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cli::human::{clean, count};

/// What the contract may say of an activity.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Activity {
    at: String,
    queue: Option<String>,
    topic: Option<String>,
    id: Option<String>,
    r#type: Option<String>,
    consumer: Option<String>,
    reason: Option<String>,
    count: Option<u64>,
}

/// For programs: what the stream has, in one JSON object.
pub(super) fn line(id: Option<&str>, kind: &str, data: &str) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        id: Option<&'a str>,
        event: &'a str,
        data: Data<'a>,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Data<'a> {
        Json(&'a RawValue),
        Text(&'a str),
    }
    // A line has no line ends in it: only JSON that has none stands as it is.
    let json = serde_json::from_str(data).ok().filter(|_| !data.contains('\n'));
    let line = Line { id, event: kind, data: json.map_or(Data::Text(data), Data::Json) };
    serde_json::to_string(&line).expect("texts are always JSON")
}

/// For people: when, what, where, which message, who and why.
pub(super) fn text(kind: &str, data: &str) -> String {
    let Ok(activity) = serde_json::from_str::<Activity>(data) else {
        return format!("{kind}  {}", clean(data).replace('\n', " "));
    };
    let Activity { at, queue, topic, id, r#type, consumer, reason, count: left_out } = activity;
    let time = at.get(11..23).unwrap_or(&at).to_owned();
    let mut text = format!("{}  {}", clean(&time).dimmed(), coloured(&format!("{:<13}", clean(kind))));
    let left_out = match (kind, left_out) {
        (_, Some(number)) => Some(format!("{} of them", count(number))),
        ("skipped" | "left-out", None) => Some("how many is not known".to_owned()),
        _ => None,
    };
    let topic = topic.map(|topic| format!("topic {topic}"));
    let by = consumer.map(|consumer| format!("by {consumer}"));
    let parts = [queue.or(topic), id, r#type, by, left_out, reason.map(|reason| format!("({reason})"))];
    for part in parts.into_iter().flatten() {
        text.push_str("  ");
        text.push_str(&clean(&part).replace('\n', " "));
    }
    text
}

fn coloured(kind: &str) -> String {
    match kind.trim_end() {
        "acked" | "auto-acked" | "redriven" | "replayed" => kind.green().to_string(),
        "nacked" | "lease-expired" | "left-out" | "skipped" | "returned" => kind.yellow().to_string(),
        "dead-lettered" | "dropped" | "expired" | "discarded" | "purged" => kind.red().to_string(),
        _ => kind.cyan().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(kind: &str, data: &str) -> String {
        anstream::adapter::strip_str(&text(kind, data)).to_string()
    }

    #[test]
    fn an_activity_is_a_line_of_what_is_known() {
        let data = r#"{"at":"2026-11-24T04:15:00.123Z","queue":"jobs","id":"m1","type":"t","consumer":"w1","reason":"no\nanswer"}"#;
        assert_eq!(plain("nacked", data), "04:15:00.123  nacked         jobs  m1  t  by w1  (no answer)");
    }

    #[test]
    fn what_was_left_out_is_counted() {
        let data = r#"{"at":"2026-11-24T04:15:00.123Z","count":1200}"#;
        assert_eq!(plain("left-out", data), "04:15:00.123  left-out       1,200 of them");
        let data = r#"{"at":"2026-11-24T04:15:00.123Z","count":null}"#;
        assert_eq!(plain("skipped", data), "04:15:00.123  skipped        how many is not known");
    }

    #[test]
    fn what_is_not_understood_is_shown_without_what_drives_a_terminal() {
        assert_eq!(plain("odd", "\u{1b}[2J"), r"odd  \u{1b}[2J");
    }

    #[test]
    fn json_data_stands_in_a_line_as_it_came() {
        let shown = line(Some("7-1"), "acked", r#"{"at": "x",  "n": 1.10}"#);
        assert_eq!(shown, r#"{"id":"7-1","event":"acked","data":{"at": "x",  "n": 1.10}}"#);
        assert_eq!(line(None, "odd", "a\nb"), r#"{"id":null,"event":"odd","data":"a\nb"}"#);
    }
}
