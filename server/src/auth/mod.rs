//! Who a person is and what that person may do: sessions, passwords, API tokens, roles.
