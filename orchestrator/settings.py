"""The only reader of the environment: every setting of the product, typed, with its default."""

import hashlib
import os
import secrets
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent

MAX_SOCKET_PATH_BYTES = 107


class Settings(BaseSettings):
    """Settings by environment, prefix `LOREEL_` (so `LOREEL_PORT=3000`)."""

    model_config = SettingsConfigDict(env_prefix="LOREEL_", extra="ignore")

    data_dir: Path = ROOT / "data"
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=1, le=65535)
    redis_url: str = ""
    """Empty: the embedded Redis on a unix socket in `data_dir`."""
    database_url: str = ""
    """Empty: SQLite in `data_dir`."""
    storage_url: str = ""
    """Empty: the local folder `data_dir/storage`."""
    secret_key: str = ""
    """Empty: made once and kept in `data_dir/secret_key`."""
    allowed_model_roots: str = ""
    """Folders (separated by `:`) from which a model may be registered by path; `data_dir/models` always counts."""
    max_upload_bytes: int = Field(default=64 * 2**30, gt=0)
    hub_endpoint: str = Field(default="", validation_alias="HF_ENDPOINT")
    """A mirror of the Hugging Face Hub, by the Hub library's own variable; it may lie in a private network."""
    allow_private_urls: bool = False
    """True: addresses that people give (datasets, webhooks) may lead to this machine and its private network."""
    fetch_patience_s: float = Field(default=30.0, gt=0)
    """How long a server may be silent, or send less than 1 KB a second, before a fetch ends with a sentence."""
    signup: Literal["open", "invite", "closed"] = "open"
    session_days: int = 30
    secure_cookies: bool = False
    """True behind https: the session cookie is then marked Secure."""
    trusted_origins: str = ""
    """Extra origins (comma separated) that may open the websocket and write, besides the own host."""
    log_format: Literal["console", "json"] = "console"
    """console: lines for people; json: one object a line for log collectors."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe records that are written."""
    dev: bool = False
    """True under `./loreel dev`: the /kit page exists."""
    worker_name: str = ""
    worker_gpus: int = Field(default=1, ge=0)
    """GPUs of this host that each worker of `./loreel up` owns, and a job may ask for; 0: one worker owns them all."""
    cache_bytes: int = Field(default=32 * 2**30, ge=0)
    """Disk that decoded frames may take; the longest unused ones go first. 0: no limit."""
    playground_idle_s: float = Field(default=600.0, ge=5)
    """How long the process that answers the playground stays, with its models, after the last question."""
    playground_patience_s: float = Field(default=120.0, gt=0)
    """Seconds without a word from the worker after which a question is given up."""
    playground_clip_bytes: int = Field(default=256 * 2**20, gt=0)
    """The largest clip that may be dropped on the playground, or fetched for it."""
    stop_grace_s: float = 20.0
    """Seconds between the polite stop of a training and the forced one."""
    trackers: str = ""
    """Tools that get every run's curves too, besides TensorBoard's files: mlflow, wandb, trackio (comma separated)."""
    telemetry: bool = True
    """False: what a run takes of its machine is not written down."""
    public_url: str = ""
    """Where people open the studio, for links in notices; empty: http://localhost and the port."""
    smtp_host: str = ""
    """The mail server for notices; empty: no e-mail."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_from: str = ""
    """The sender's address; empty: loreel@ and the mail server."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def resolved_database_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'loreel.db'}"

    @property
    def resolved_public_url(self) -> str:
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def resolved_redis_url(self) -> str:
        return self.redis_url or f"unix://{self.redis_socket}"

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Redis listens: in the data folder, or in a private temp folder when that path is too long.

        The kernel allows 107 bytes for a socket's path. The fallback's name is derived from the data folder, so
        that every process of this installation finds the same one.
        """
        path = self.data_dir / "redis" / "redis.sock"
        if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
            return path
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"loreel-{os.getuid()}-{digest}" / "redis.sock"

    @property
    def storage_dir(self) -> Path:
        return self.data_dir / "storage"

    @property
    def jobs_dir(self) -> Path:
        """One folder a training job: metrics.jsonl, log.jsonl, checkpoints/, adapter/."""
        return self.data_dir / "jobs"

    @property
    def model_roots(self) -> list[Path]:
        extra = [Path(p).expanduser().resolve() for p in self.allowed_model_roots.split(":") if p]
        return [self.data_dir / "models", *extra]

    def resolved_secret_key(self) -> str:
        """The signing secret: the setting, else a key made once and kept at mode 600."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret_key"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        return path.read_text().strip()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
