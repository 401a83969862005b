# Releases of the agent, and how far each is offered.

nav-releases = Releases of the agent
releases-title = Releases of the agent
releases-explained = How far each release is offered to computers with Windows, which update themselves. Those with Linux get it from their package manager. Packages are taken in, signed and published at the command line.
releases-published = The published list counts until { $value }.
releases-unpublished = Nothing is published.
releases-none = No release was taken in.
releases-caption = Releases of the agent, the newest first
release-version = Version
release-share = Share of devices
release-sites = Sites that all get it
release-state = State
release-offered = Offered
release-waits = Waiting
release-halted = Halted
release-percent = Share in percent
release-percent-needed = The share is a whole number from 0 to 100.
release-stage = Offer
release-halt = Halt
