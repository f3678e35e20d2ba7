"""What `b2b new-plugin` writes: a complete distribution from a few answers."""
