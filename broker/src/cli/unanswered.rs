//! Why a call was not answered, by what went wrong on the way, and what can be done about it.

use std::{error::Error, io, iter::successors};

use hyper_util::client::legacy;
use url::Url;

use super::{connection::is_hang_up, failure::Failure, human};

/// From how many bytes on a body may have been what a broker hung up on: fewer go out before it says anything.
const LARGE_BODY: usize = 64 << 10;

const NOT_RUNNING: &str = "Is it running? `broker serve` starts one; --url or BROKER_URL says where it is.";
const NOT_TRUSTED: &str =
    "Is it running? --ca or BROKER_CA names the authority to trust, where the system does not.";
const AUTHORITY: &str = "Its certificate is one of an authority (CA:TRUE), which may only sign others. Give the broker \
                         one that such an authority signed, or one made with -addext \
                         basicConstraints=critical,CA:FALSE.";
const NO_TLS: &str =
    "What answers there speaks no TLS: where it serves plain HTTP, its URL begins with http://.";
const HUNG_UP: &str = "It hung up before TLS was agreed on: it takes no more connections, as one that stops or has as \
                       many as it may; or it speaks no TLS, and where it serves plain HTTP, its URL begins with http://.";
const NO_HTTP: &str =
    "What answers there speaks no plain HTTP: where it serves HTTPS, its URL begins with https://.";
const NO_HTTP_WITHIN_TLS: &str = "What answers there speaks TLS, but no HTTP: is that the broker's port?";
const BROKEN_OFF: &str =
    "The connection was made, and broke off or fell silent. The broker's log may say why.";

/// The failure of a call whose body has so many bytes, by its innermost cause.
pub(super) fn unanswered(url: &Url, sent: usize, error: &(dyn Error + 'static)) -> Failure {
    let why = causes(error).last().map(ToString::to_string).unwrap_or_default();
    let is_https = url.scheme() == "https";
    let url = url.to_string();
    if is_of_connecting(error) {
        let hint = if is_https { on_connecting_with_tls(error, &why) } else { NOT_RUNNING };
        return Failure::Unreachable { url, why, hint };
    }
    Failure::Unanswered { url, why, hint: on_asking(error, sent, is_https) }
}

fn on_connecting_with_tls(error: &(dyn Error + 'static), why: &str) -> &'static str {
    match why {
        why if why.contains("CaUsedAsEndEntity") => AUTHORITY,
        why if why.contains("InvalidContentType") => NO_TLS,
        _ if hung_up(error) => HUNG_UP,
        _ => NOT_TRUSTED,
    }
}

fn on_asking(error: &(dyn Error + 'static), sent: usize, is_https: bool) -> String {
    let of_hyper = || causes(error).filter_map(|cause| cause.downcast_ref::<hyper::Error>());
    let is_cut = hung_up(error) || of_hyper().any(hyper::Error::is_incomplete_message);
    match sent {
        _ if of_hyper().any(hyper::Error::is_parse) => {
            if is_https { NO_HTTP_WITHIN_TLS } else { NO_HTTP }.to_owned()
        }
        LARGE_BODY.. if is_cut => format!(
            "It closed the connection while a body of {} was sent: probably it is too large for the broker.",
            human::size(sent as u64)
        ),
        _ => BROKEN_OFF.to_owned(),
    }
}

/// An error and what caused it, the innermost last.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| error.source())
}

/// Whether there never was a connection.
fn is_of_connecting(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect)
}

fn hung_up(error: &(dyn Error + 'static)) -> bool {
    causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).map(within).any(is_hang_up)
}

/// The error that others of I/O only wrap: it is no source of theirs, and its kind is not theirs.
fn within(error: &io::Error) -> &io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.map_or(error, within)
}
