"""Where the built web UI lies."""
