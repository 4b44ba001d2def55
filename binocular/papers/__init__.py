"""The claims of four papers, each tested on studies reared here: published number, ours, control, verdict."""
