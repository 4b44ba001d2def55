"""Tests of stimuli, protocols and binocular."""
