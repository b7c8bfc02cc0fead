"""A scenario and its rubric as the files of `scenarios/` and `evaluations/`, in one zip."""

import io
import tempfile
import zipfile
from pathlib import Path

from sqlmodel import Session

from reallabor.content import read_text
from reallabor.evaluations import RubricContent, rubric_yaml
from reallabor.models import Rubric, row_id
from reallabor.recording.catalogue import get_scenario, stored_scenario
from reallabor.recording.endpoint import prompt_of
from reallabor.scenarios import write_scenario
from reallabor.settings import get_settings


def scenario_package(session: Session, slug: str) -> bytes:
    """A zip that another house unpacks into its checkout; loading it gives the same hashes. Raises
    UnknownObject and InvalidContent."""
    folder = stored_scenario(session, slug)
    rubric = session.get_one(Rubric, row_id(get_scenario(session, slug).rubric_id))
    readme = (
        f"# {folder.content.title}\n\n## Was erprobt wird\n\n{folder.content.task}\n\n"
        f"## Wem es hilft\n\n{folder.content.helps}\n\n## Wie die Fälle entstanden\n\n"
        "Bitte ergänzen.\n\n## Grenzen\n\nBitte ergänzen.\n"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with tempfile.TemporaryDirectory() as draft:
            write_scenario(folder, Path(draft))
            for path in sorted(Path(draft).iterdir()):
                archive.writestr(f"scenarios/{slug}/{path.name}", path.read_bytes())
        own = get_settings().content / "scenarios" / slug
        if (own / "README.md").is_file():
            readme = read_text(own / "README.md")
        folder = folder.model_copy(update={"path": own})  # for its own prompt, if there is one
        archive.writestr(f"scenarios/{slug}/README.md", readme)
        archive.writestr(f"scenarios/{slug}/prompt.md", prompt_of(folder)[0])
        content = RubricContent.model_validate(rubric.content)
        archive.writestr(f"evaluations/{rubric.key}.yaml", rubric_yaml(content))
    return file.getvalue()
