"""Smoke checks: what a file of steps asks for, and whether it was so. Nothing here runs a step."""
