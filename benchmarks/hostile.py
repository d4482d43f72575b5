"""One member and one anonymous client do their worst while another person works: his waits, his errors, memory, log."""

import asyncio
import contextlib
import io
import json
import threading
import time
import uuid
import zipfile
from base64 import b64encode
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
import socketio

from benchmarks.ledger import p95
from benchmarks.studio import Studio, studio
from benchmarks.target import Target

TARGETS: dict[str, Target] = {
    "p95_ms": {"max": 400.0},
    "errors": {"max": 0.0},
    "web_growth_mb": {"max": 100.0},
    "log_mb": {"max": 1.0},
}
JOBS = {"optim.seed": list(range(100)), "qlora.r": [4, 8, 16, 32, 64], "qlora.dropout": [0.0, 0.1]}
DRAWINGS, STREAMS, EVENTS, DROPPED, ARCHIVES, FILES = 60, 300, 10_000, 40, 7, 20_000
BODY = 50 * 2**20
NAMESPACE = "/_event"
PAUSE_S = 0.1
"""Between two requests of the person who works."""


@dataclass
class Worker:
    """The person who works: what each request took, and what was refused."""

    waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    by_scene: dict[str, list[float]] = field(default_factory=dict)
    scene: str = "quiet"
    ends: bool = False

    def work(self, client: httpx.Client, clip: str) -> None:
        """Reads lists and pages, changes a caption, writes a note, as a person does, until told to end."""
        number = 0
        reads = ("/me", "/datasets", "/jobs", f"/clips/{clip}", "/models", "/queue", "/adapters", "/notifications")
        while not self.ends:
            number += 1
            began = time.perf_counter()
            try:
                if number % 10 == 0:
                    answer = client.patch("/me", json={"display_name": f"Ada {number}"})
                else:
                    answer = client.get(reads[number % len(reads)])
                if answer.status_code >= 400:
                    self.errors.append(
                        f"{self.scene}: {answer.request.url.path} {answer.status_code} {answer.text[:120]}"
                    )
            except httpx.HTTPError as error:
                self.errors.append(f"{self.scene}: {type(error).__name__}")
            took = (time.perf_counter() - began) * 1000
            self.waits.append(took)
            self.by_scene.setdefault(self.scene, []).append(took)
            time.sleep(PAUSE_S)


def run() -> dict[str, float]:
    """p95 of the working person's requests over all attacks, his errors, growth of the web process, bytes of log."""
    with studio() as running:
        ada, mallory = (_sign_up(running.url, name) for name in ("ada", "mallory"))
        clip = _first_clip(ada)
        web, worker = psutil.Process(running.pids["web"]), Worker()
        thread = threading.Thread(target=worker.work, args=(ada, clip), daemon=True)
        thread.start()
        time.sleep(5.0)
        memory = _Memory(web)
        log_before = running.log.stat().st_size
        attacks = _attacks(running, mallory)
        for name, attack in attacks.items():
            worker.scene = name
            asyncio.run(attack())
        worker.scene = "after"
        time.sleep(5.0)
        worker.ends = True
        thread.join(120)
        grown, logged = memory.stop(), running.log.stat().st_size - log_before
    for name, waits in worker.by_scene.items():
        print(f"{name:<12} {len(waits):>5} requests, p95 {p95(waits):7.1f} ms, longest {max(waits):8.1f} ms")
    for error in worker.errors[:20]:
        print(error)
    attacked = [wait for name, waits in worker.by_scene.items() if name not in ("quiet", "after") for wait in waits]
    return {
        "p95_ms": round(p95(attacked), 1),
        "quiet_p95_ms": round(p95(worker.by_scene["quiet"]), 1),
        "errors": float(len(worker.errors)),
        "web_growth_mb": round(grown / 2**20, 1),
        "log_mb": round(logged / 1e6, 3),
    }


class _Memory:
    """The most that a process grew since now, with its children, but for sandboxed programs that start later."""

    def __init__(self, process: psutil.Process) -> None:
        self._processes = [process, *process.children(recursive=True)]
        self._before, self._most = self._now(), 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _now(self) -> int:
        total = 0
        for process in self._processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def _watch(self) -> None:
        while not self._ends.wait(0.2):
            self._most = max(self._most, self._now())

    def stop(self) -> int:
        self._ends.set()
        self._thread.join()
        return self._most - self._before


def _sign_up(url: str, name: str) -> httpx.Client:
    password = "a quiet lamp at dusk 7"
    client = httpx.Client(base_url=f"{url}/api/v1", headers={"Origin": url}, timeout=60)
    person = {"username": name, "email": f"{name}@example.org", "password": password}
    client.post("/auth/signup", json=person).raise_for_status()
    client.post("/auth/login", json={"login": name, "password": password}).raise_for_status()
    return client


def _ready(client: httpx.Client) -> dict[str, Any]:
    """A dataset for classification that is ready."""
    until = time.monotonic() + 180
    while time.monotonic() < until:
        found = client.get("/datasets", params={"status": "ready", "task": "classification"}).json()["items"]
        if found:
            return found[0]
        time.sleep(0.5)
    raise RuntimeError("no demo dataset became ready")


def _first_clip(client: httpx.Client) -> str:
    return client.get(f"/datasets/{_ready(client)['id']}/clips").json()["items"][0]["id"]


Attack = Callable[[], Awaitable[None]]


def _attacks(running: Studio, mallory: httpx.Client) -> dict[str, Any]:
    dataset = _ready(mallory)["id"]
    clips = [row["id"] for row in mallory.get(f"/datasets/{dataset}/clips").json()["items"]]
    models = mallory.get("/models").json()["items"]
    model = next(row["id"] for row in models if row["model_type"] == "video_classification")
    captioner = next(row["id"] for row in models if row["model_type"] == "video_captioning")
    member = {"Cookie": "; ".join(f"{name}={value}" for name, value in mallory.cookies.items()), "Origin": running.url}

    def client(headers: dict[str, str]) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=400)
        return httpx.AsyncClient(base_url=running.url, headers=headers, timeout=120, limits=limits)

    async def together(requests: list[Any]) -> None:
        outcomes = await asyncio.gather(*requests, return_exceptions=True)
        print(dict(Counter(map(_outcome, outcomes))))

    async def sweep() -> None:
        async with client(member) as web:
            body = {"dataset_id": dataset, "model_id": model, "output_name": "many", "sweep": JOBS}
            made = await web.post("/api/v1/sweeps", json=body)
            made.raise_for_status()
            stopped = await web.post(f"/api/v1/sweeps/{made.json()['id']}/stop")
            print("stop of the sweep:", stopped.status_code, stopped.text[:200])

    async def drawings() -> None:
        async with client(member) as web:
            await together(
                [
                    web.get(
                        f"/api/v1/clips/{clips[n % len(clips)]}/seen.png", params={"model_id": model, "fps": 2 + n / 9}
                    )
                    for n in range(DRAWINGS)
                ]
            )

    async def bodies() -> None:
        body = b'{"login": "' + b"x" * BODY + b'"}'
        async with client({"Origin": running.url, "Content-Type": "application/json"}) as web:
            await together([web.post(f"/api/v1/{path}", content=body) for path in ("auth/login", "datasets") * 4])

    async def archives() -> None:
        async with client(member) as web:
            for number in range(ARCHIVES):
                await _upload_archive(web, number)
            await asyncio.sleep(10.0)  # the person works while they are read

    async def streams() -> None:
        async with client(member) as web:
            made = await web.post("/api/v1/jobs", json={"dataset_id": dataset, "model_id": model, "output_name": "one"})
            address = f"/api/v1/jobs/{made.json()['id']}/events"
            await together([_listen(web, address, 10.0) for _ in range(STREAMS)])
            await web.post(f"/api/v1/jobs/{made.json()['id']}/stop")

    async def events() -> None:
        await together([_odd_events(running.url, headers) for headers in ({}, member) for _ in range(10)])

    async def dropped() -> None:
        content = [
            {"type": "text", "text": "What moves?"},
            {"type": "video_url", "video_url": {"url": f"clip:{clips[0]}"}},
        ]
        body = {"model": f"model-{captioner}", "stream": True, "messages": [{"role": "user", "content": content}]}
        async with client(member) as web:
            for _ in range(DROPPED // 8):
                await together([_drop(web, body) for _ in range(8)])

    return {
        "sweep": sweep, "drawings": drawings, "bodies": bodies, "archives": archives, "streams": streams,
        "events": events, "dropped": dropped,
    }  # fmt: skip


def _outcome(result: Any) -> str:
    return str(result.status_code) if isinstance(result, httpx.Response) else type(result).__name__


async def _upload_archive(web: httpx.AsyncClient, number: int) -> None:
    """A zip of many tiny files that are no films, and its reading."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for file in range(FILES // ARCHIVES):
            archive.writestr(f"class_{file % 50}/{number}_{file}.mp4", b"no film")
    content = made.getvalue()
    dataset = (await web.post("/api/v1/datasets", json={"name": f"flood {number}"})).json()["id"]
    words = {"filename": "many.zip", "dataset_id": dataset}
    metadata = ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in words.items())
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
    place = (await web.post("/api/v1/uploads", headers=headers)).raise_for_status().headers["location"]
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    (await web.patch(place, content=content, headers=headers)).raise_for_status()
    (await web.post(f"/api/v1/datasets/{dataset}/ingest", json={})).raise_for_status()


async def _listen(web: httpx.AsyncClient, address: str, seconds: float) -> httpx.Response:
    until = time.monotonic() + seconds
    async with web.stream("GET", address) as answer:
        async for _ in answer.aiter_bytes():
            if time.monotonic() > until:
                break
        return answer


async def _drop(web: httpx.AsyncClient, body: dict[str, Any]) -> httpx.Response:
    """Asks, and hangs up with the first bytes of the answer."""
    async with web.stream("POST", "/v1/chat/completions", json=body) as answer:
        async for _ in answer.aiter_bytes():
            break
        return answer


async def _odd_events(url: str, headers: dict[str, str]) -> None:
    """A tab that sends events that no page has, with odd payloads."""
    tab = socketio.AsyncClient(reconnection=False)
    await tab.connect(
        f"{url}?token={uuid.uuid4()}",
        headers=headers | {"Origin": url},
        transports=["websocket"],
        namespaces=[NAMESPACE],
        socketio_path="/_event",
        wait_timeout=60,
    )
    odd: list[Any] = [{}, {"a": "\ud800"}, {"a": "\0"}, {"a": 2**70}, {"a": [[]] * 50}, "text", None]
    for number in range(EVENTS // 20):
        event = {"name": f"reflex___state____state.no_such_{number % 7}", "payload": odd[number % len(odd)]}
        await tab.emit("event", event if number % 5 else json.dumps(event), namespace=NAMESPACE)
    await tab.disconnect()
