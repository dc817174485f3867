//! `tokens.json`:
//!
//! ```text
//! {"version":1,"tokens":[{"name":"shop","allow":["publish:orders"],
//!   "created_at":"2026-11-24T12:00:00.000Z","blake3":"64 hexadecimal digits of the token's text"}]}
//! ```

use std::{collections::HashSet, fs, io, path::Path};

use broker_core::identity::Name;
use serde::{Deserialize, Serialize};
use units::Timestamp;

use super::{Token, TokensError};
use crate::auth::{grant::Grant, secret::Digest};

/// Its name in the data folder.
pub(crate) const FILE: &str = "tokens.json";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    tokens: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    allow: Vec<String>,
    created_at: Timestamp,
    blake3: String,
}

/// The tokens in a file; none where there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<Token>, TokensError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(TokensError::not_read(path, error)),
    };
    parse(&bytes).map_err(|detail| TokensError::Unreadable { path: path.display().to_string(), detail })
}

fn parse(bytes: &[u8]) -> Result<Vec<Token>, String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    // A newer version may have other fields; its number says more than the first of them.
    let Version { version } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if version != VERSION {
        return Err(format!("it has version {version}"));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let tokens: Vec<Token> = document.tokens.into_iter().map(token).collect::<Result<_, _>>()?;
    let mut names = HashSet::new();
    match tokens.iter().find(|token| !names.insert(token.name.clone())) {
        Some(twice) => Err(format!("it has two tokens called {}", twice.name)),
        None => Ok(tokens),
    }
}

fn token(entry: Entry) -> Result<Token, String> {
    let name = Name::parse(&entry.name).map_err(|error| format!("{:?}: {error}", entry.name))?;
    let of = |detail: &dyn std::fmt::Display| format!("token {name}: {detail}");
    let allow = entry.allow.iter().map(|text| Grant::parse(text)).collect::<Result<_, _>>();
    let allow = allow.map_err(|error| of(&error))?;
    let digest = Digest::from_hex(&entry.blake3).ok_or_else(|| of(&"its digest is none"))?;
    Ok(Token::new(name, allow, entry.created_at, digest))
}

/// The file of these tokens.
pub(super) fn write<'a>(tokens: impl Iterator<Item = &'a Token>) -> Vec<u8> {
    let entry = |token: &Token| Entry {
        name: token.name.to_string(),
        allow: token.allow.iter().map(ToString::to_string).collect(),
        created_at: token.created_at,
        blake3: token.digest.to_hex(),
    };
    let document = Document { version: VERSION, tokens: tokens.map(entry).collect() };
    let mut bytes = serde_json::to_vec_pretty(&document).expect("texts and numbers are always JSON");
    bytes.push(b'\n');
    bytes
}
