"""Sets one paper or picture with typst in a process of its own, with bounded memory and time: typst
is a compiler, and where a text defeats it, it may take the whole process with it. Run as
`python -I typesetter.py`; knows nothing of the platform."""

import json
import resource
import sys
from pathlib import Path
from typing import Literal

import typst

MOST_MEMORY = 2 << 30


def main() -> int:
    """JSON on standard input (template, data, timestamp), the file on standard output: a paper as
    PDF/UA-1 for readers and PDF/A-2a for the archive, or a picture as PNG."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    request = json.load(sys.stdin.buffer)
    paper = request["template"] == "paper"
    kind: Literal["pdf", "png"] = "pdf" if paper else "png"
    standards = ["a-2a", "ua-1"] if paper else []
    folder = Path(__file__).parent
    file = typst.compile(
        str(folder / f"{request['template']}.typ"),
        root=str(folder),
        sys_inputs={"data": json.dumps(request["data"])},
        format=kind,
        ppi=200.0,
        pdf_standards=standards,  # type: ignore[arg-type]
        ignore_system_fonts=True,
        timestamp=int(request["timestamp"]),
    )
    sys.stdout.buffer.write(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
