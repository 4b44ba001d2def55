"""Kleinman, Achille & Soatto (2024), deep linear networks: the claims and their figures."""
