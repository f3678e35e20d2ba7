"""The proof bench: cameras and known domains, built, adapted to and measured by recipe."""
