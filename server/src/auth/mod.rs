//! Who a person is and what that person may do: passwords, sessions, API tokens, forms that only our pages may send.
//!
//! Rights are read from the store at each request, so a change of role, a disabled account or a revoked token counts
//! at once. Nothing here decides what a role may do: that is [`domain::authority`](crate::domain::authority).

pub mod account;
pub mod bearer;
pub mod client_address;
pub mod csrf;
pub mod password;
pub mod secret;
pub mod session;
pub mod sign_in;
pub mod throttle;

pub use crate::domain::{
    authority::{Action, Decision, Object, Role},
    language::Language,
    person::{Login, Person},
};
pub use bearer::BearerToken;
pub use client_address::ClientAddress;
pub use csrf::{CsrfForm, CsrfToken, FormFault, FormRefused, TooLarge, Upload, UploadLimits, upload};
pub use session::{SessionCookie, SignedIn, safe_next, sign_out};
pub use sign_in::{SignInRefused, sign_in};
