"""OTIO in and out: reading, spotting, placing."""
