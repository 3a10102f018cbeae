"""Procedural Foley scenes: pictures, masks, stems, events and captions out of a seed."""
