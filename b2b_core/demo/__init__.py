"""The demonstration: the main job from end to end, measured."""
