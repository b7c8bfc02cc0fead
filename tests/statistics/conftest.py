"""Published worked examples for the statistics tests."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def worked_examples_folder() -> Path:
    default = str(REPOSITORY.parent / "shared" / "data")
    return Path(os.environ.get("REALLABOR_SHARED_DATA", default))


@pytest.fixture(scope="session")
def worked_examples(worked_examples_folder: Path) -> dict[str, Any]:
    path = worked_examples_folder / "worked_examples.json"
    if not path.exists():
        pytest.skip(f"worked examples not found: {path}")
    examples: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return examples
