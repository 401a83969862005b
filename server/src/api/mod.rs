//! JSON API under `/api/v1` with bearer tokens, for people's scripts and other systems.
