"""Pictures: files to pixels to tensors and back, without losing what the camera wrote."""
