//! Tokens to make: their names and what they allow.

use broker::{api::bodies::TokenToMake, auth::grant::Grant};

pub(super) fn make(body: &[u8]) {
    let ask = |token: TokenToMake| token.checked();
    let Some((name, allow)) = super::read(body, &["name", "allow"], ask) else { return };
    let json = super::json(body);
    assert_eq!(json["name"], name.as_str());
    let given = json["allow"].as_array().expect("it was read as an array");
    assert_eq!(given.len(), allow.len());
    for (text, grant) in given.iter().zip(&allow) {
        assert_eq!(text.as_str().map(Grant::parse), Some(Ok(grant.clone())));
    }
}
