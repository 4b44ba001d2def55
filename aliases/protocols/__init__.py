"""The old name of `binocular.protocols`."""

from binocular.aliases import keep_old_name

keep_old_name("protocols", "binocular.protocols")
