"""Simulated cameras: how the starter's pictures were blurred; nothing here is learned from."""
