"""The one reader of the environment: `REALLABOR_*` variables, then `.env` in the working folder."""

from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_CHECKOUT = Path(__file__).resolve().parent.parent


def _content_folder() -> Path:
    """The working folder where it holds `scenarios/`, else the checkout this package lies in."""
    here = Path.cwd()
    return here if (here / "scenarios").is_dir() else _CHECKOUT


class Settings(BaseSettings):
    """All settings; docs/handbuch/betrieb.md explains each one (a test compares the two)."""

    model_config = SettingsConfigDict(env_prefix="REALLABOR_", env_file=".env", extra="ignore")

    home: Path = Path("data")
    """Everything that the embedded mode writes: databases, artifacts, journals, logs."""
    content: Path = Field(default_factory=_content_folder)
    """The folder that holds `scenarios/` and `evaluations/`."""
    database_url: str = ""
    """SQLAlchemy address of the platform database; empty: SQLite under `home`."""
    tracking_uri: str = ""
    """Address of the MLflow server; empty: an own one on `tracking_port`, started when needed."""
    tracking_token: SecretStr = SecretStr("")
    """Bearer token for the MLflow server, where it asks for one."""
    tracking_timeout_s: float = 30.0
    """Longest wait for one answer of MLflow, in seconds."""
    endpoint_key: SecretStr = SecretStr("")
    """Bearer key for `reallabor run --endpoint` and `reallabor judge`, where the endpoint asks for
    one."""
    host: str = "127.0.0.1"
    """Address on which the app listens; MLflow always stays on 127.0.0.1."""
    app_port: int = 8501
    """Port of the app."""
    public_url: str = ""
    """Address under which those who are asked for a voice reach the app; empty: that of the app."""
    tracking_port: int = 5080
    """Port of the embedded MLflow server."""
    demo: bool = False
    """Person picker and demonstration data; set by `make run`, never by `reallabor up`."""
    person: str = ""
    """Name of the person for whom the command line acts; empty: the person `Kommandozeile`."""
    poll_seconds: float = 10.0
    """Pause of the worker between two looks at MLflow and at the outbox."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    @field_validator("home", "content")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        address = urlsplit(value)
        if value and (address.scheme not in ("http", "https") or not address.hostname):
            raise ValueError("keine Adresse")
        return value.rstrip("/")

    @property
    def public_address(self) -> str:
        """Where links and QR codes lead, without a slash at the end."""
        return self.public_url or f"http://{self.host}:{self.app_port}"

    @property
    def platform_url(self) -> str:
        """Where the platform database is; psycopg 3 is named for PostgreSQL addresses."""
        if self.database_url:
            return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        return f"sqlite:///{self.home / 'reallabor.sqlite'}"

    @property
    def embedded_tracking(self) -> bool:
        """Whether MLflow is ours to start."""
        return not self.tracking_uri

    @property
    def tracking_address(self) -> str:
        """The address that clients use, without a slash at the end."""
        return (self.tracking_uri or f"http://127.0.0.1:{self.tracking_port}").rstrip("/")


@cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
