"""What a study looks like: figures, tables, the page, and the view of a protocol before it is run."""
