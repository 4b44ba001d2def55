"""What the two eyes see. Knows nothing of networks.

Stimuli are tensors ``[batch, eye, channel, height, width]`` on a device, eye 0 = left, 0 = grey. ``STIMULI`` names the
kinds that a protocol can ask for; ``stimulus_config`` checks a mapping and returns the configuration that builds one.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
