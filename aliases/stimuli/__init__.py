"""The old name of `binocular.stimuli`."""

from binocular.aliases import keep_old_name

keep_old_name("stimuli", "binocular.stimuli")
