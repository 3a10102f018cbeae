"""The edge to files: video, mattes, audio."""
