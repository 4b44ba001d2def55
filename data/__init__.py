"""Data that ship with binocular: published numbers with their provenance."""
