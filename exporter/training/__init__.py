"""Training of our own model from scratch, and fine-tuning of the published one (docs/training.md)."""
