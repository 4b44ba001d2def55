"""The reference: one page per package, from its ``__all__`` and the docstrings."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

__all__ = ["PACKAGES", "reference_pages"]

PACKAGES = (
    "binocular.stimuli",
    "binocular.protocols",
    "binocular",
    "binocular.report.figures",
    "binocular.probes",
    "binocular.compare",
    "binocular.linear",
    "binocular.dominance",
    "binocular.store.summary",
    "binocular.store.study",
    "binocular.protocols.training",
)
"""What is documented: packages by their public names, and modules that the labs and guides use."""


def reference_pages() -> dict[str, str]:
    """Return a page for each package."""
    return {f"reference-{name}.md": _page(name) for name in PACKAGES}


def _page(name: str) -> str:
    module = import_module(name)
    parts = [f"# `{name}`", inspect.cleandoc(module.__doc__ or "")]
    for public in module.__all__:
        parts += [f"## {public}", _entry(name, public, getattr(module, public))]
    return "\n\n".join(parts) + "\n"


def _entry(module: str, name: str, value: Any) -> str:
    if inspect.isclass(value):
        if hasattr(value, "model_fields"):
            return _model(module, name, value)
        options = "" if issubclass(value, Exception) else ":members:\n"
        return _autodoc("autoclass", f"{module}.{name}", options)
    if callable(value):
        return _autodoc("autofunction", f"{module}.{name}")
    home = inspect.getdoc(value) if type(value).__module__ != "builtins" else None
    shown = ", ".join(f"`{key}`" for key in value) if isinstance(value, dict) else f"`{value!r}`"
    return f"{shown if len(shown) < 900 else type(value).__name__}\n" + (f"\n{home.splitlines()[0]}\n" if home else "")


def _autodoc(directive: str, target: str, options: str = "") -> str:
    return f"```{{eval-rst}}\n.. {directive}:: {target}\n" + "".join(
        f"   {line}\n" for line in options.splitlines() if line
    ) + "```"  # fmt: skip


def _model(module: str, name: str, model: Any) -> str:
    """Return a checked model: its docstring, its fields as a table, and the methods that are its own."""
    about = inspect.cleandoc(model.__doc__ or "")
    methods = [
        key for key, value in vars(model).items()
        if inspect.isfunction(value) and not key.startswith("_") and value.__doc__
    ]  # fmt: skip
    entries = [_autodoc("automethod", f"{module}.{name}.{method}") for method in methods]
    docstring = f"```{{eval-rst}}\n{about}\n```" if "----" not in about else _autodoc("autoclass", f"{module}.{name}")
    return "\n\n".join([docstring, field_table(model), *entries])


def field_table(model: Any) -> str:
    """Return the fields of a checked model as a table: name, default, meaning."""
    rows = ["| field | default | meaning |", "|---|---|---|"]
    for key, field in model.model_fields.items():
        default = "" if field.is_required() else _default(field)
        meaning = (field.description or "").replace("|", "\\|")
        rows.append(f"| `{key}` | {default} | {meaning} |")
    return "\n".join(rows) if len(rows) > 2 else ""


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    text = repr(value)
    return f"`{text}`" if len(text) < 60 else "see the source"
