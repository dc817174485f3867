//! The slugs of this service's own problems; a retired one is never used again.

use serve::problem::Slug;

/// No mail has this id.
pub const EMAIL_NOT_FOUND: Slug = Slug {
    name: "email-not-found",
    status: 404,
    title: "There is no such mail",
    help: "No mail with this id was sent. GET /emails?order=ID lists the mails of an order.",
};

/// All of them.
pub const TABLE: &[&Slug] = &[&EMAIL_NOT_FOUND];
