"""API keys for a project that has none: tables, a key store for the portal, and verification for the project's own API."""
