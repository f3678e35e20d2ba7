"""What a listing tells about a component: its settings, facts, weights and an example."""
