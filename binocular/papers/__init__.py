"""The claims of three papers, each tested on studies reared here: published number, ours, control, verdict."""
