"""Rearing subjects through their phases: the phase tree, batches, objectives, the loop and its snapshots."""
