"""Networks for other runtimes: ONNX files, checked against PyTorch."""
