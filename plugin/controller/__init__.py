"""Everything the panel and the command line can do, without a window.

Each module is one kind of thing a person asks for. Decisions are made here or below, never in a face.
"""
