//! What differs between reasons that say the same: numbers, ids and addresses, folded to a sign each.

use std::net::IpAddr;

/// Folds a reason: `order 17 timed out after 30s` and `order 18 timed out after 31s` become one.
///
/// Words are runs of letters, digits and `. _ : - @`, so that ids and addresses are seen whole. A word that is
/// an address becomes `<address>`, one that is an id `<id>`; of any other each run of digits becomes `#`.
pub(super) fn fold(reason: &str) -> String {
    let mut out = String::with_capacity(reason.len());
    let mut rest = reason;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            fold_word(&mut out, &rest[..length]);
            rest = &rest[length..];
        }
    }
    out
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | ':' | '-' | '@')
}

/// The punctuation at the end of a sentence is no part of its last word.
fn fold_word(out: &mut String, word: &str) {
    let body = word.trim_end_matches(['.', ':', '-']);
    if is_address(body) {
        out.push_str("<address>");
    } else if is_id(body) {
        out.push_str("<id>");
    } else {
        fold_digits(out, body);
    }
    out.push_str(&word[body.len()..]);
}

/// An IP address, perhaps with a port; an address of memory; a mail address.
fn is_address(word: &str) -> bool {
    let is_ip = |text: &str| text.contains(['.', ':']) && text.parse::<IpAddr>().is_ok();
    let host = word.rsplit_once(':').filter(|(_, port)| is_number(port)).map_or(word, |(host, _)| host);
    let is_memory = word.strip_prefix("0x").is_some_and(is_hex);
    is_ip(word) || is_ip(host) || is_memory || word.split_once('@').is_some_and(is_mail)
}

fn is_mail((user, host): (&str, &str)) -> bool {
    !user.is_empty() && host.contains('.') && !host.contains('@')
}

/// A UUID, or anything else of at least eight characters that mixes digits into letters as only machines do.
fn is_id(word: &str) -> bool {
    let plain: Vec<char> = word.chars().filter(|c| !matches!(c, '-' | '_' | ':' | '.')).collect();
    let digits = plain.iter().filter(|c| c.is_ascii_digit()).count();
    let is_long_hex = plain.len() >= 16 && plain.iter().all(char::is_ascii_hexdigit) && digits > 0;
    let is_mixed = plain.len() >= 8 && digits >= 3 && digits < plain.len();
    is_long_hex || (is_mixed && changes(&plain) >= 3)
}

/// How often a digit follows a letter or a letter a digit.
fn changes(characters: &[char]) -> usize {
    characters.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count()
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn fold_digits(out: &mut String, word: &str) {
    let mut in_digits = false;
    for c in word.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !in_digits {
            out.push('#');
        }
        in_digits = c.is_ascii_digit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_alike_reasons_is_folded() {
        for (reason, folded) in [
            ("lease expired", "lease expired"),
            ("order 17 timed out after 30s.", "order # timed out after #s."),
            ("no order 0192f3c4-7b1a-7c3e-9d00-1a2b3c4d5e6f", "no order <id>"),
            ("connect to 10.0.0.17:5432: refused", "connect to <address>: refused"),
            ("connect to [::1]:80", "connect to [<address>]:#"),
            ("null at 0x7ffee4a1", "null at <address>"),
            ("no mailbox ada@example.org here", "no mailbox <address> here"),
            ("bad token f00dbabe12345678", "bad token <id>"),
            ("order ord_8f3a1c77d2", "order <id>"),
            ("HTTP 503 from gateway-2", "HTTP # from gateway-#"),
            ("sha256 differs; größe 10,5", "sha# differs; größe #,#"),
            ("", ""),
        ] {
            assert_eq!(fold(reason), folded);
        }
    }

    #[test]
    fn reasons_that_differ_in_words_stay_apart() {
        assert_ne!(fold("card 1 declined"), fold("card 1 expired"));
    }
}
