"""Simulated cameras: how the starter's pictures were blurred. Nothing here is used to learn them."""
