"""Bundles as files: a zip that is the same for the same contents, sealed, and read with suspicion. See docs/decisions/021."""
