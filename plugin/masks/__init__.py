"""Mattes where the editor has none: prompts on frames become masks, masks are tracked through a shot."""
