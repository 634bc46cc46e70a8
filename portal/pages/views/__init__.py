"""The pages, a module per part of the user's way."""
