"""Pawlak (2025): the claims and their figures."""
