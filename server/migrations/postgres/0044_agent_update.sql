-- Releases of the agent: the packages as they were built, how far each is offered, and what is published of them.
CREATE TABLE agent_package (
    sha256 BYTEA NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    -- What installs it: deb (apt), msi (Windows Installer).
    kind TEXT NOT NULL CHECK (kind IN ('deb', 'msi')),
    -- The release that it is of: three numbers.
    release TEXT NOT NULL,
    -- As the package itself writes it: 0.2.0-1.
    version TEXT NOT NULL,
    architecture TEXT NOT NULL,
    -- The least version that is updated to it at once; apt heeds its own rules.
    from_version TEXT NOT NULL,
    -- What a Debian package says of itself; empty for others.
    control TEXT NOT NULL,
    bytes BIGINT NOT NULL CHECK (bytes > 0),
    content BYTEA NOT NULL,
    added_at BIGINT NOT NULL
);
-- Another package under a version that was given is no package of that version: apt and the agent would never take it.
CREATE UNIQUE INDEX agent_package_version ON agent_package (kind, architecture, version);
-- How far a release is offered to computers that update themselves.
CREATE TABLE agent_release (
    release TEXT NOT NULL PRIMARY KEY,
    percent BIGINT NOT NULL CHECK (percent BETWEEN 0 AND 100),
    -- Since when it is offered to nobody and left out of what is published.
    halted_at BIGINT,
    changed_at BIGINT NOT NULL
);
-- Sites to which it is offered whatever the percentage.
CREATE TABLE agent_release_site (
    release TEXT NOT NULL REFERENCES agent_release (release),
    site_id UUID NOT NULL REFERENCES site (id),
    PRIMARY KEY (release, site_id)
);
-- What was published when, and who signed it. Numbers only grow.
CREATE TABLE agent_publication (
    number BIGINT NOT NULL PRIMARY KEY,
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- The public key, base64.
    signed_by TEXT NOT NULL,
    published_at BIGINT NOT NULL
);
-- The texts of the last publication, by their place below its address.
CREATE TABLE agent_published (
    path TEXT NOT NULL PRIMARY KEY,
    content TEXT NOT NULL
);
