"""Every setting of the product, typed, with its default. No other module reads a setting from the environment."""

import hashlib
import os
import secrets
import tempfile
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent

MAX_SOCKET_PATH_BYTES = 107


class Settings(BaseSettings):
    """Settings by environment, prefix `LOREEL_` (so `LOREEL_PORT=3000`).

    The documentation's settings page is made from these fields: each has a description, written in Markdown.
    """

    model_config = SettingsConfigDict(env_prefix="LOREEL_", extra="ignore", use_attribute_docstrings=True)

    data_dir: Path = ROOT / "data"
    """The folder that holds everything: the database, uploads, datasets, models, runs, caches and the secret key."""
    host: str = "127.0.0.1"
    """The address to listen on. The default answers on this machine only; `0.0.0.0` answers the whole network."""
    port: int = Field(default=3000, ge=1, le=65535)
    """The one port for pages, live updates, REST and this documentation."""
    public_url: str = ""
    """The address that people open, such as `https://studio.example.org`, used for links in notifications. Empty:
    `http://localhost` and the port."""
    redis_url: str = ""
    """A Redis or Valkey server, such as `redis://:password@host:6379/0`. Empty: an embedded server on a Unix socket in
    the data folder."""
    redis_server: str = ""
    """The program of the embedded Redis, such as `/usr/bin/redis-server`. Empty: the one of the installed package, else
    the first on `PATH`."""
    database_url: str = ""
    """The address of a PostgreSQL database, such as `postgresql://user:password@host/loreel`. Empty: SQLite in the
    data folder."""
    secret_key: str = ""
    """Encrypts stored cloud keys and Hub tokens; all processes of one studio need the same. Empty: made once and kept
    in the file `secret_key` in the data folder."""
    signup: Literal["open", "invite", "closed"] = "open"
    """Who may create an account. The first account is always allowed, and is the administrator; after it, only `open`
    lets others sign up."""
    signups_per_hour: int = Field(default=30, ge=0)
    """Accounts that one address may create in an hour; all together may create ten times as many. `0`: no limit."""
    session_days: int = 30
    """Days that a login with "Remember me" lasts."""
    secure_cookies: bool = False
    """Marks the session cookie `Secure`. Set it behind a proxy that speaks HTTPS; a browser then sends the cookie over
    HTTPS only."""
    trusted_proxies: str = ""
    """Addresses and CIDRs (comma separated) of proxies in front; only they may say who the client is and if it used
    https."""
    allowed_hosts: str = ""
    """Host names, separated by commas, that the studio accepts in addition to localhost, the bound host and
    `public_url`; *: any."""
    trusted_origins: str = ""
    """Origins, separated by commas, whose pages may open the websocket and write, in addition to the studio's own.
    Needed where a proxy changes the `Host` header."""
    max_upload_bytes: int = Field(default=64 * 2**30, gt=0)
    """The largest file that is accepted, and the most bytes that one dataset may unpack to or fetch."""
    allowed_model_roots: str = ""
    """Folders, separated by `:`, from which a base model may be registered by its path. `models` in the data folder is
    always one."""
    hub_endpoint: str = Field(default="", validation_alias="HF_ENDPOINT")
    """A mirror of the Hugging Face Hub, by the variable that the Hub's own library reads; it may lie in a private
    network. Empty: the Hub itself."""
    allow_private_urls: bool = False
    """Lets addresses that people enter (datasets, webhooks) lead to this machine and its private network. Leave it off
    where you do not trust every account."""
    fetch_patience_s: float = Field(default=30.0, gt=0)
    """Seconds that a server may stay silent, or send less than 1 KB a second, before a download ends with an error."""
    cache_dir: str = ""
    """The folder of decoded frames and vision features: a quick disk of this machine, where the data folder is on a
    slow one. Empty: `cache` in the data folder."""
    cache_bytes: int = Field(default=32 * 2**30, ge=0)
    """Disk space for decoded frames and vision features, shared by all runs; the least recently used go first. `0`: no
    limit."""
    decode_threads: int = Field(default=0, ge=0)
    """Threads with which a run decodes clips for its next steps or, on a GPU without cached features, loader processes.
    `0`: one thread for each core, and up to four processes."""
    checkpoint_days: float = Field(default=7.0, ge=0)
    """Days after which the checkpoints of a completed job are deleted; its adapter, curves and log stay. `0`: never."""
    resumable_checkpoint_days: float = Field(default=30.0, ge=0)
    """The same for stopped and failed jobs: they start over when they are resumed after that. `0`: never."""
    audit_days: float = Field(default=365.0, ge=0)
    """Days for which entries of the audit log are kept; older ones are deleted from its old end. `0`: for ever."""
    worker_gpus: int = Field(default=1, ge=0)
    """GPUs that each worker of `./loreel up` owns, and so the most that one job there can use. `0`: one worker owns all
    of them."""
    worker_name: str = ""
    """The name under which a worker is listed. Empty: the host's name and the kind of device."""
    stop_grace_s: float = 20.0
    """Seconds that a training gets to write its checkpoint after **Stop**, before its process is killed."""
    isolation_limit_s: float = Field(default=60.0, gt=0)
    """Seconds for which a training may reach neither Redis nor the database. Then it saves a checkpoint and ends: its
    job goes to another worker or, where both were away for all, goes on when they are back."""
    telemetry: bool = True
    """Records the memory and utilization that each run takes of its machine, for the job's System tab. Nothing leaves
    the machine."""
    trackers: str = ""
    """Tools that receive every run's curves in addition to TensorBoard's files, separated by commas: `mlflow`, `wandb`,
    `trackio`."""
    playground_idle_s: float = Field(default=600.0, ge=5)
    """Seconds after the last question for which the playground keeps its models in memory."""
    playground_patience_s: float = Field(default=120.0, gt=0)
    """Seconds without a sign of life from the worker after which a playground question fails."""
    playground_clip_bytes: int = Field(default=256 * 2**20, gt=0)
    """The largest clip that may be dropped on the playground, or fetched for a question."""
    smtp_host: str = ""
    """The mail server that sends notifications. Empty: no e-mail."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    """The mail server's port: usually 587 with `starttls`, 465 with `tls`."""
    smtp_user: str = ""
    """The user name for the mail server. Empty: no login."""
    smtp_password: str = ""
    """The password for the mail server."""
    smtp_from: str = ""
    """The sender's address of notifications. Empty: `loreel@` and the mail server's name."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection to the mail server is encrypted."""
    log_format: Literal["console", "json"] = "console"
    """`console`: lines for people. `json`: one object a line, for log collectors."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe records that are written."""
    dev: bool = False
    """Adds the `/kit` page, which shows every component. `./loreel dev` sets it."""

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in filter(None, (part.strip() for part in value.split(","))):
            ip_network(part, strict=False)
        return value

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
    def cache_folder(self) -> Path:
        """Decoded frames and vision features, which all runs share."""
        return Path(self.cache_dir).expanduser().resolve() if self.cache_dir else self.data_dir / "cache"

    @property
    def jobs_dir(self) -> Path:
        """One folder a training job: metrics.jsonl, log.jsonl, checkpoints/, adapter/."""
        return self.data_dir / "jobs"

    @property
    def manifests_dir(self) -> Path:
        """The clips of each dataset version that was trained on, a file each, linked by the attempts."""
        return self.data_dir / "manifests"

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
