//! Configuration: raw TOML → validated settings, after which nothing can be invalid.
