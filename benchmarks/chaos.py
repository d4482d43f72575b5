"""Real trainings while processes are killed, stores restarted and a link is cut: what is lost, doubled or repeated."""

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import redis
from sqlalchemy import bindparam, make_url, text
from sqlmodel import select

from benchmarks.link import Link, link
from benchmarks.postgres import PostgresProcess, postgres_programs
from benchmarks.studio import Studio, studio
from benchmarks.target import Target, Unavailable
from orchestrator.domain.recipes import parse_recipe
from orchestrator.domain.users import Actor, User
from orchestrator.services import db
from orchestrator.services.training.launch import launch_job
from orchestrator.settings import ROOT, Settings, get_settings

TARGETS: dict[str, Target] = {
    "steps_lost": {"max": 0.0},
    "steps_trained_twice": {"max": 0.0},
    "jobs_not_finished": {"max": 0.0},
    "final_loss_differs": {"max": 0.0},
    "records_doubled": {"max": 0.0},
}
MINUTES = float(os.environ.get("LOREEL_CHAOS_MINUTES", "25"))
EACH = int(os.environ.get("LOREEL_CHAOS_EACH", "10"))
SEED = int(os.environ.get("LOREEL_CHAOS_SEED", "7"))
FATAL = ("worker", "work process", "trainer")
"""Each costs the job an attempt; a job has three, so `MAX_STRIKES` of them hit one job."""
HARMLESS = ("controller", "web", "redis", "flushall")
OUTAGES = ("postgres", "link")
"""What is away for a while. The link is the second worker's; its job costs an attempt when it is cut for long."""
KINDS = tuple(filter(None, os.environ.get("LOREEL_CHAOS_KINDS", "").split(","))) or (*FATAL, *HARMLESS, *OUTAGES)
"""What to strike."""
POSTGRES_AWAY_S = (5.0, 60.0)
"""Bounds of a restart of PostgreSQL: of a quick one, and of a managed failover."""
LINK_CUT_S = (2.0, 75.0)
"""From a cut that nobody may notice to one after which the worker's training has ended by itself."""
PATIENCE = 600
"""Half seconds that the web, which is killed again and again, may take to answer."""
MAX_STRIKES = 2
AT_ONCE = 3
"""Jobs that train or wait: two workers are never idle."""
SECOND = "second"
"""The worker behind the link."""
PERSON = {"username": "chaos", "email": "chaos@example.org", "password": "a quiet lamp at dusk 7"}


@dataclass
class Books:
    """What happened to all jobs."""

    strikes: Counter[str] = field(default_factory=Counter)
    struck: Counter[int] = field(default_factory=Counter)
    """Attempts that were taken from each job."""
    jobs: list[str] = field(default_factory=list)
    lost: int = 0
    retrained: int = 0
    unfinished: int = 0
    differs: int = 0
    doubled: int = 0
    postgres_away_s: float = 0.0
    link_cut_s: float = 0.0


def run() -> dict[str, float]:
    """Counts; `strikes_*` says how often each was struck.

    LOREEL_CHAOS_MINUTES: over how long the moments are drawn; LOREEL_CHAOS_EACH: how many of each kind. A strike whose
    victim does not live in its moment waits for it, so the whole may take longer than the minutes.
    """
    chance = random.Random(SEED)
    books = Books()
    with (
        _database() as postgres,
        studio(database_url=postgres.url) as running,
        link(f"lrl{os.getpid() % 100_000}n60", 60) as way,
        httpx.Client(base_url=f"{running.url}/api/v1", timeout=10) as web,
    ):
        web.headers["Origin"] = running.url
        web.post("/auth/signup", json=PERSON).raise_for_status()
        web.post("/auth/login", json={"login": PERSON["username"], "password": PERSON["password"]}).raise_for_status()
        body = _body(web)
        calm = _launch(web, body)
        _wait(web, calm)
        expected = _curve(running, calm)
        launch = _launcher(running, postgres, body)
        began, over = time.monotonic(), threading.Event()
        keeper = threading.Thread(target=_keep_a_second_worker, args=(running, postgres, way, over))
        victims = Victims(running, postgres, way)
        striker = threading.Thread(target=_strike_all, args=(victims, chance, books))
        keeper.start()
        striker.start()
        try:
            while striker.is_alive():
                with contextlib.suppress(*db.DATABASE_AWAY):
                    if len(_jobs_in("queued", "starting", "running", "lost")) < AT_ONCE:
                        books.jobs.append(launch())
                time.sleep(0.3)
            struck_for = time.monotonic() - began
            for job in books.jobs:
                _judge(running, web, job, books, expected)
        finally:
            over.set()
            keeper.join()
            victims.wait()
    return {
        "jobs": float(len(books.jobs)),
        "minutes": round(struck_for / 60, 1),
        "strikes": float(sum(books.strikes.values())),
        **{f"strikes_{name.replace(' ', '_')}": float(books.strikes[name]) for name in KINDS},
        "postgres_away_s": round(books.postgres_away_s, 0),
        "link_cut_s": round(books.link_cut_s, 0),
        "steps_lost": float(books.lost),
        "steps_trained_twice": float(books.retrained),
        "jobs_not_finished": float(books.unfinished),
        "final_loss_differs": float(books.differs),
        "records_doubled": float(books.doubled),
    }


@dataclass
class Victims:
    """What is struck, and the outages that still last."""

    running: Studio
    postgres: PostgresProcess
    way: Link
    outages: dict[str, threading.Thread] = field(default_factory=dict)

    def begin_outage(self, name: str, stop: Callable[[], None], start: Callable[[], None], seconds: float) -> None:
        """Stops something and starts it after a while; meanwhile other strikes go on."""

        def last() -> None:
            stop()
            time.sleep(seconds)
            start()

        self.outages[name] = threading.Thread(target=last, name=f"{name}-outage")
        self.outages[name].start()

    def is_away(self, name: str) -> bool:
        return name in self.outages and self.outages[name].is_alive()

    def wait(self) -> None:
        """Returns when no outage lasts any more."""
        for thread in self.outages.values():
            thread.join()


@contextmanager
def _database() -> Iterator[PostgresProcess]:
    """A PostgreSQL for the studio.

    Raises:
        Unavailable: its programs are not installed.
    """
    programs = postgres_programs()
    if programs is None:
        raise Unavailable("PostgreSQL's programs are absent: install the package `postgresql`.")
    server = PostgresProcess(programs)
    server.start()
    try:
        yield server
    finally:
        server.delete()


def _launcher(running: Studio, postgres: PostgresProcess, body: dict[str, Any]) -> Callable[[], str]:
    """Launches as the web does, in this process: under such fire the web is dead for most of the time."""
    os.environ["LOREEL_DATA_DIR"] = str(running.data_dir)
    os.environ["LOREEL_DATABASE_URL"] = postgres.url
    for cached in (get_settings, db.engine):
        cached.cache_clear()
    recipe = parse_recipe({"optim": body["optim"], "output_name": body["output_name"]})
    with db.session_scope() as session:
        user = session.exec(select(User).where(User.username == PERSON["username"])).one()
        actor = Actor(user.id or 0, user.username, user.email, user.role)

    def launch() -> str:
        with db.session_scope() as session:
            return str(launch_job(session, actor, int(body["dataset_id"]), int(body["model_id"]), recipe).id)

    return launch


def _strike_all(victims: Victims, chance: random.Random, books: Books) -> None:
    """Each kind at its random moments; what cannot be struck in its moment is tried again and again."""
    plan = sorted((chance.uniform(0.0, MINUTES * 60), name) for name in KINDS for _ in range(EACH))
    print(f"{len(plan)} strikes in {MINUTES:g} minutes", file=sys.stderr)
    began, late = time.monotonic(), []
    while plan or late:
        now = time.monotonic() - began
        late += [name for at, name in plan if at <= now]
        plan = [(at, name) for at, name in plan if at > now]
        for name in list(late):
            if _strike(victims, name, chance, books):
                late.remove(name)
                books.strikes[name] += 1
                if sum(books.strikes.values()) % 20 == 0:
                    print(f"{now:.0f} s: {dict(books.strikes)}, {len(books.jobs)} jobs", file=sys.stderr)
        time.sleep(0.2)


def _judge(running: Studio, web: httpx.Client, job: str, books: Books, expected: dict[int, float]) -> None:
    """Compares one job with the undisturbed one, and adds the differences to `books`."""
    if (status := _wait(web, job)) != "completed":
        books.unfinished += 1
        print(f"Job {job} is {status}: {_get(web, f'/jobs/{job}').get('error')}", file=sys.stderr)
        return
    got, records = _curve(running, job), _records(running, job)
    an_epoch = max(expected) // int(_get(web, f"/jobs/{job}")["epochs"])
    lost, retrained = _steps_lost_and_retrained(records, an_epoch)
    books.lost += lost + len(set(expected) - set(got))
    books.retrained += retrained
    doubled = sum(count - 1 for count in Counter(record["seq"] for record in records).values())
    books.doubled += doubled
    differs = got.get(max(expected)) != expected[max(expected)]
    books.differs += differs
    if lost or retrained or doubled or differs or set(expected) - set(got):
        print(f"Job {job}: {lost} lost, {retrained} trained twice, {doubled} doubled, {differs=}", file=sys.stderr)


def _steps_lost_and_retrained(records: list[dict[str, Any]], an_epoch: int) -> tuple[int, int]:
    """(steps that were trained again although a checkpoint held them, records of an attempt behind a newer one's).

    The checkpoint of an epoch is complete before the first step of the next is trained.
    """
    attempt, reached, lost, retrained = 1, 0, 0, 0
    for record in records:
        if record["attempt"] < attempt:
            retrained += 1
        elif record["kind"] == "metric" and record.get("phase") == "train":
            if record["attempt"] > attempt:
                saved = (reached - 1) // an_epoch * an_epoch if reached else 0
                lost += max(0, saved + 1 - record["step"])
                attempt = record["attempt"]
            reached = max(reached, record["step"])
    return lost, retrained


def _keep_a_second_worker(running: Studio, postgres: PostgresProcess, way: Link, over: threading.Event) -> None:
    """As a service manager on another host would: one more worker, started again whenever it has ended."""
    database = make_url(postgres.url)
    behind = database.set(host=way.host, port=way.forward((database.host or "127.0.0.1", database.port or 5432)))
    redis_port = way.forward(Settings(data_dir=running.data_dir).redis_socket)
    env = {key: value for key, value in os.environ.items() if not key.startswith("LOREEL_")}
    env |= {"LOREEL_DATA_DIR": str(running.data_dir), "HF_HUB_OFFLINE": "1", "LOREEL_WORKER_NAME": SECOND}
    env["LOREEL_DATABASE_URL"] = behind.render_as_string(hide_password=False)
    env["LOREEL_REDIS_URL"] = f"redis://{way.host}:{redis_port}/0"
    command = [*way.command, sys.executable, "-m", "jobs.worker", "--device", "cpu", "--no-prep"]
    while not over.is_set():
        worker = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while worker.poll() is None and not over.wait(0.2):
            pass
        if worker.poll() is None:
            worker.terminate()
            worker.wait(30)


def _jobs_in(*statuses: str) -> list[tuple[int, str]]:
    """(job, worker) of the jobs in these states, read from the database itself: the web may be dead."""
    wanted = text("SELECT id, worker FROM training_jobs WHERE status IN :statuses").bindparams(
        bindparam("statuses", statuses, expanding=True)
    )
    with db.session_scope() as session:
        return [(int(job), str(worker)) for job, worker in session.connection().execute(wanted)]


def _body(web: httpx.Client) -> dict[str, Any]:
    """The demo, once it is there, with three epochs of twelve steps."""
    for _ in range(600):
        datasets, models = _get(web, "/datasets")["items"], _get(web, "/models")["items"]
        ready = [one for one in datasets if one["status"] == "ready" and one["task"] == "classification"]
        fits = [one for one in models if one["model_type"] == "video_classification"]
        if ready and fits:
            optim = {"epochs": 3, "batch_size": 16}
            return {"dataset_id": ready[0]["id"], "model_id": fits[0]["id"], "optim": optim, "output_name": "chaos"}
        time.sleep(1.0)
    raise RuntimeError("The demo did not appear.")


def _get(web: httpx.Client, path: str) -> dict[str, Any]:
    """Patient: the web process may just have been killed."""
    for _ in range(PATIENCE):
        try:
            answer = web.get(path)
            if answer.status_code == 200:
                return answer.json()
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"{path} did not answer for minutes.")


def _launch(web: httpx.Client, body: dict[str, Any]) -> str:
    key = {"Idempotency-Key": str(random.getrandbits(64))}
    for _ in range(PATIENCE):
        try:
            answer = web.post("/jobs", json=body, headers=key)
            if answer.status_code == 201:
                return str(answer.json()["id"])
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise RuntimeError("No job could be launched for minutes.")


def _wait(web: httpx.Client, job: str, limit_s: float = 900.0) -> str:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        status = str(_get(web, f"/jobs/{job}")["status"])
        if status in ("completed", "failed", "stopped"):
            return status
        time.sleep(0.5)
    return "unknown"


def _strike(victims: Victims, name: str, chance: random.Random, books: Books) -> bool:
    """Kills it, or begins its outage; False when it is not there."""
    running = victims.running
    try:
        if name == "flushall":
            return bool(redis.Redis(unix_socket_path=str(running.data_dir / "redis" / "redis.sock")).flushall())
        if name == "postgres":
            return _restart_postgres(victims, chance, books)
        if name == "link":
            return _cut_link(victims, chance, books)
        if name in FATAL:
            return _strike_a_job(running, name, chance, books)
        return _kill(psutil.Process(running.pids[name]))
    except (psutil.Error, KeyError, OSError, ValueError, redis.RedisError, *db.DATABASE_AWAY):
        return False


def _restart_postgres(victims: Victims, chance: random.Random, books: Books) -> bool:
    """Stops it as a crash would."""
    if victims.is_away("postgres"):
        return False
    away_s = chance.uniform(*POSTGRES_AWAY_S)
    books.postgres_away_s += away_s
    victims.begin_outage("postgres", victims.postgres.stop, victims.postgres.start, away_s)
    return True


def _cut_link(victims: Victims, chance: random.Random, books: Books) -> bool:
    """Cuts the second worker off while it trains a job that has attempts left."""
    jobs = [job for job, worker in _jobs_in("starting", "running") if worker.startswith(SECOND)]
    if victims.is_away("link") or not jobs or any(books.struck[job] >= MAX_STRIKES for job in jobs):
        return False
    books.struck.update(jobs)
    cut_s = chance.uniform(*LINK_CUT_S)
    books.link_cut_s += cut_s
    victims.begin_outage("link", victims.way.cut, victims.way.restore, cut_s)
    return True


def _kill(process: psutil.Process) -> bool:
    """False for one that is dead already and only waits for its parent to notice."""
    if process.status() == psutil.STATUS_ZOMBIE:
        return False
    process.kill()
    return True


def _strike_a_job(running: Studio, name: str, chance: random.Random, books: Books) -> bool:
    """Kills the trainer, the work process or the worker of some job that has attempts left."""
    jobs = [job for job, _ in _jobs_in("starting", "running") if books.struck[job] < MAX_STRIKES]
    chance.shuffle(jobs)
    for job in jobs:
        if (trainer := _trainer(running, job)) is None:
            continue
        # An orphan's next parent may be the worker or the supervisor: then its work process has just died.
        above = trainer.parents()[:2]
        if len(above) < 2 or any("jobs.worker" not in process.cmdline() for process in above):
            continue
        if _kill({"trainer": trainer, "work process": above[0], "worker": above[1]}[name]):
            books.struck[job] += 1
            return True
    return False


def _trainer(running: Studio, job: int) -> psutil.Process | None:
    """The process that trains the job, from its start on."""
    specs = (running.data_dir / "jobs" / str(job)).glob("a*/spec.json")
    newest = str(max(specs, key=lambda path: int(path.parent.name.removeprefix("a")), default=""))
    for process in psutil.process_iter(["cmdline", "status"]):
        command, dead = process.info["cmdline"] or [], process.info["status"] == psutil.STATUS_ZOMBIE
        if newest and newest in command and not dead:
            return process
    return None


def _records(running: Studio, job: str) -> list[dict[str, Any]]:
    """Those of the last attempt, whose file begins with what earlier ones recorded."""
    folders = (Path(running.data_dir) / "jobs" / job).glob("a*/metrics.jsonl")
    path = max(folders, key=lambda path: int(path.parent.name.removeprefix("a")))
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def _curve(running: Studio, job: str) -> dict[int, float]:
    """The loss by step as it counts in the end: of the last attempt that trained the step."""
    metrics = [record for record in _records(running, job) if record["kind"] == "metric"]
    return {record["step"]: round(record["values"]["loss"], 5) for record in metrics if "loss" in record["values"]}
