"""The subjects: networks of two eyes, and building them from a description."""
