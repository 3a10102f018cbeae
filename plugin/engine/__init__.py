"""Frames, mask and words to waveform, with numpy and onnxruntime only."""
