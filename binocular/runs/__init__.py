"""A whole study: planning it, rearing its nodes on what this machine has, and putting them together."""
