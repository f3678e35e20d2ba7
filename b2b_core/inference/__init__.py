"""Deblurring of whole pictures: any size, any memory."""
