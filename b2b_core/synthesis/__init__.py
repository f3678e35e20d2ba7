"""Known blur on the camera's sharp pictures: the set K, and the kernels behind it."""
