"""The proof bench: cameras, known domains and adaptations, built, trained and measured by recipe."""
