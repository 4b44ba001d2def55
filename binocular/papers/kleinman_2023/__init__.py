"""Kleinman, Achille & Soatto (2023): the claims, what they are judged by, and their figures."""
