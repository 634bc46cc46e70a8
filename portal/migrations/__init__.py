"""The tables' history; a released migration is never edited."""
