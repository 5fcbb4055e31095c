"""Markdown as it is said, whatever its columns are padded to."""


def unpadded(text: str) -> str:
    """Give each line of a table one space between its cells and its bars."""
    return "\n".join(" ".join(line.split()) if line.startswith("|") else line for line in text.splitlines())
