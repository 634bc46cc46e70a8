"""The operations, a module per kind of caller."""
