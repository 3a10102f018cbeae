"""Mask mode without a window: objects marked in a shot, tracked through it, saved as mattes."""
