"""The contract between exporter and runtime: bundles of ONNX graphs, found, verified, described."""
