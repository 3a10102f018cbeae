"""From torch checkpoints to verified ONNX bundles. The only room that may import torch."""
