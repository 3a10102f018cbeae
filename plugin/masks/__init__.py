"""Mattes where the editor has none: prompts on frames become masks, and masks are tracked through the shot."""
