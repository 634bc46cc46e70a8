"""What each operation takes. A member that is not listed is refused (security requirement 25)."""
