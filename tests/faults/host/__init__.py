"""What a fault needs inside the server's processes. Copied beside the demo project, and not imported by tests."""
