"""Measurements; nothing here runs in CI."""
