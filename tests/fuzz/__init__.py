"""schemathesis against the live app, from docs/openapi.yaml."""
