"""Sagafoley's runtime: timelines in, synchronised object stems out. No torch, no Qt outside `panel`."""

__version__ = "0.1.0"
