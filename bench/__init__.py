"""What the portal costs, measured beside the packages that a project would otherwise use: ``make bench``."""
