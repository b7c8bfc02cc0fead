"""The prompt registry: one registered prompt per scenario, a version per text."""

from reallabor.tracking.client import Connection, pages

_SHA256 = "reallabor.sha256"


def register_prompt(connection: Connection, slug: str, template: str, sha256: str) -> str:
    """`name@version` of this very text in MLflow's prompt registry; a known text is not registered
    again."""
    name = f"reallabor-{slug}"
    with connection.translated() as client:
        known = [prompt.name for prompt in client.search_prompts(f"name = '{name}'")]
        if name in known:
            versions = pages(
                lambda token: client.search_prompt_versions(name, 100, page_token=token)
            )
            for version in versions:
                if dict(version.tags).get(_SHA256) == sha256:
                    return f"{name}@{version.version}"
        version = client.register_prompt(name, template, tags={_SHA256: sha256})
        return f"{name}@{version.version}"
