"""Achille, Rovere & Soatto (2019): the claims and their figures."""
