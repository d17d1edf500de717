"""Tables for terminals and the self-contained page."""
