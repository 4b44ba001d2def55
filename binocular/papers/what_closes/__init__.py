"""What closes the period: which quantity at the opening of an eye says how much of its loss will stay."""
