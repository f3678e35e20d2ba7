"""Adaptation: two folders of pictures and a known domain become a camera profile."""
