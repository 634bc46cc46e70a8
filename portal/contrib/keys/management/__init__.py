"""The app's commands, and what they are made of."""
