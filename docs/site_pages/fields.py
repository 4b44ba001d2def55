"""Every field that a protocol can have, as ``binocular describe`` prints them."""

from __future__ import annotations

from binocular.report.describing import TOPICS, Description, describe

__all__ = ["field_pages"]


def field_pages() -> dict[str, str]:
    """Return one page with all topics."""
    source = "As `binocular describe` prints them; `binocular describe --schema` gives editors the same."
    parts = ["# Fields of a protocol", source]
    for topic in TOPICS:
        parts += [f"## {topic}", *(_section(description) for description in describe(topic))]
    return {"fields.md": "\n\n".join(parts) + "\n"}


def _section(description: Description) -> str:
    rows = [
        f"| `{field.name}` | {_cell(field.kind)} | {_cell(field.default) or '(needed)'} | {_cell(field.meaning)} |"
        for field in description.fields
    ]
    table = "\n".join(["| field | type | default | meaning |", "|---|---|---|---|", *rows]) if rows else ""
    example = f"```toml\n{description.example}\n```" if description.example else ""
    return "\n\n".join(part for part in (f"### {description.name}", description.about, table, example) if part)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
