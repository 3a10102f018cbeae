"""The table of parity: how far each stage may be from the golden vectors, relative L2.

A row is a stage and an implementation ("torch" is the float32 network of the exporter, "onnx" its
float32 graph). Weights and inputs of every row follow the deterministic rule of `exporter.fill`.
"""

from __future__ import annotations

SINGLE_STAGE = 1e-5
WHOLE_SAMPLING = 1e-4
WHOLE_TRACKING = 1e-4
ROUNDED_MEMORY = 1e-3
"""Rounding to bfloat16 and the edge of a mask enlarge what differs."""

TOLERANCES: dict[tuple[str, str], float] = {
    ("clip image", "torch"): SINGLE_STAGE,
    ("clip text", "torch"): SINGLE_STAGE,
    ("synchformer", "torch"): SINGLE_STAGE,
    ("conditions small", "torch"): SINGLE_STAGE,
    ("conditions medium", "torch"): SINGLE_STAGE,
    ("flow small", "torch"): SINGLE_STAGE,
    ("flow medium", "torch"): SINGLE_STAGE,
    ("euler", "torch"): WHOLE_SAMPLING,
    ("vae decoder", "torch"): SINGLE_STAGE,
    ("vae encoder", "torch"): SINGLE_STAGE,
    ("mel", "torch"): SINGLE_STAGE,
    ("vocoder", "torch"): SINGLE_STAGE,
    ("sam2 image encoder", "torch"): SINGLE_STAGE,
    ("sam2 heads", "torch"): SINGLE_STAGE,
    ("sam2 memory encoder", "torch"): SINGLE_STAGE,
    ("sam2 attention", "torch"): SINGLE_STAGE,
    ("sam2 tracking", "torch"): WHOLE_TRACKING,
    ("sam2 tracking", "onnx"): WHOLE_TRACKING,
    ("sam2 memories", "torch"): ROUNDED_MEMORY,
    ("sam2 memories", "onnx"): ROUNDED_MEMORY,
}
