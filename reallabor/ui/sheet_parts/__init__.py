"""What the scoring sheet and the adjudication desk share in the browser: look, sending and keys."""

from pathlib import Path

_SHARED = Path(__file__).parent


def joined(folder: Path, *names: str) -> str:
    """The files of a component as one text, all of one kind, with `base` of that kind before."""
    base = _SHARED / f"base{Path(names[0]).suffix}"
    return "\n".join(path.read_text("utf-8") for path in (base, *(folder / name for name in names)))
