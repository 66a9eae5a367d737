"""Smoke checks: running their steps, and writing down how they went."""
