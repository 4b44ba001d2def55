"""Cutting a network of one eye behind one of its modules: what becomes a pathway, and what comes after the fusion."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from torch import fx, nn

from binocular.stimuli.errors import BadInput

__all__ = ["before", "behind", "follow"]

_WHERE = "network.options.cut"


# While a tracer is at work, the modules of all threads call it: only one may be, and it lets alone what is not its own.
_tracing = threading.Lock()


class _Tracer(fx.Tracer):
    """Looks into nothing but what lies around the place of the cut, so that other modules stay as they are."""

    def __init__(self, network: nn.Module, name: str) -> None:
        super().__init__()
        self._own = set(network.modules())
        parts = name.split(".")
        self._around = {".".join(parts[:depth]) for depth in range(1, len(parts))}

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        return super().call_module(m, forward, args, kwargs) if m in self._own else forward(*args, **kwargs)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name not in self._around


def follow(network: nn.Module, name: str = "") -> tuple[fx.Graph, str]:
    """Follow the forward of a network down to a module.

    Parameters
    ----------
    network
        A network of one eye.
    name
        Dotted name of the module; what it and all others beside it do is not looked into.

    Returns
    -------
    tuple
        What is done, and the name of the module that is called last, the classifier.

    Raises
    ------
    BadInput
        If it cannot be followed, as where it branches by values.
    """
    try:
        with _tracing:
            graph = _Tracer(network, name).trace(network)
    except Exception as error:  # whatever the tracer stumbles over
        raise BadInput(f"network.options.backbone: its forward cannot be followed by torch.fx: {error}") from error
    called = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    if not called:
        raise BadInput("network.options.backbone: it calls no module")
    if name and called.count(name) != 1:
        accepted = ", ".join(dict.fromkeys(called))
        raise BadInput(
            f"{_WHERE}: the backbone calls '{name}' {called.count(name)} times; accepted is one of {accepted}"
        )
    return graph, called[-1]


def before(network: nn.Module, name: str) -> nn.Module:
    """Return what a network does up to the output of a module; see `follow` for what it raises.

    Parameters
    ----------
    network
        A network of one eye.
    name
        Dotted name of the module of the cut.
    """
    graph, _ = follow(network, name)
    part, known = fx.Graph(), {}
    for node in graph.nodes:
        known[node] = part.node_copy(node, known.__getitem__)
        if node.target == name:
            part.output(known[node])
            break
    return fx.GraphModule(network, part, "Before")


def behind(network: nn.Module, name: str) -> nn.Module:
    """Return what a network does from the output of a module on.

    Parameters
    ----------
    network
        A network of one eye.
    name
        Dotted name of the module of the cut.

    Raises
    ------
    BadInput
        Besides what `follow` raises, if something else that came before is used again, as around a skipped block.
    """
    graph, _ = follow(network, name)
    part, known, passed = fx.Graph(), {}, False
    for node in graph.nodes:
        if node.target == name:
            known[node] = part.placeholder("features")
            passed = True
        elif passed or node.op == "get_attr":
            if lost := [used for used in node.all_input_nodes if used not in known]:
                raise BadInput(
                    f"{_WHERE}: what the backbone computes before '{name}' is used behind it again ({lost[0]})"
                )
            known[node] = part.node_copy(node, known.__getitem__)
    for node in reversed(list(part.nodes)):
        if node.op == "get_attr" and not node.users:
            part.erase_node(node)
    return fx.GraphModule(network, part, "Behind")
