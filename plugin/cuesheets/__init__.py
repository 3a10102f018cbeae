"""`cues.toml`: a cue sheet as text that people edit, and back."""
