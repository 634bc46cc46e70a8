"""Apps of their own that a project may install beside the portal; nothing in the core imports them."""
