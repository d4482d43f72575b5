"""Answers of the playground through its REST endpoints, tiny captioner: a warm worker, and the first, cold answer."""

import base64
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from benchmarks.ledger import p95
from benchmarks.studio import Studio, studio
from benchmarks.target import Target
from jobs.video.synthetic import demo_frames, write_mp4

TARGETS: dict[str, Target] = {"warm_p95_s": {"max": 1.5}, "warm_median_s": {"max": 1.5}}
CLIPS, ROUNDS = 8, 5
_PASSWORD = "a quiet lamp at dusk 7"


def run() -> dict[str, float]:
    """Seconds from request to answer: 8 dropped clips, 5 rounds, one asker; then the same as chat completions."""
    with studio() as running, tempfile.TemporaryDirectory() as folder, closing(_client(running)) as client:
        clips = [_drop(client, Path(folder), number) for number in range(CLIPS)]
        model_id = _captioner(client)
        ask = [{"model_id": model_id, "scratch_id": clip, "compare": False} for clip in clips]
        cold = _timed(lambda: _post(client, "/api/v1/infer", ask[0]))
        warm_times = [
            _timed(lambda body=body: _post(client, "/api/v1/infer", body)) for _ in range(ROUNDS) for body in ask
        ]
        url = _inside(Path(folder) / "0.mp4")
        content = [{"type": "video_url", "video_url": {"url": url}}]
        chat = {"model": f"model-{model_id}", "messages": [{"role": "user", "content": content}]}
        chats = [_timed(lambda: _post(client, "/v1/chat/completions", chat)) for _ in range(ROUNDS)]
    return {
        "cold_s": round(cold, 2),
        "warm_median_s": round(statistics.median(warm_times), 3),
        "warm_p95_s": round(p95(warm_times), 3),
        "chat_with_clip_inside_median_s": round(statistics.median(chats), 3),
    }


def _client(running: Studio) -> httpx.Client:
    client = httpx.Client(base_url=running.url, headers={"Origin": running.url}, timeout=180)
    body = {"username": "bench", "email": "bench@example.org", "password": _PASSWORD}
    client.post("/api/v1/auth/signup", json=body).raise_for_status()
    client.post("/api/v1/auth/login", json={"login": "bench", "password": _PASSWORD}).raise_for_status()
    return client


def _captioner(client: httpx.Client) -> str:
    """The built-in one, once the controller has registered it."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = client.get("/api/v1/models", params={"model_type": "video_captioning"}).json()["items"]
        if found:
            return found[0]["id"]
        time.sleep(0.2)
    raise RuntimeError("The built-in captioner did not appear.")


def _drop(client: httpx.Client, folder: Path, number: int) -> str:
    path = write_mp4(folder / f"{number}.mp4", demo_frames("zooming" if number % 2 else "blinking", number))
    answer = client.post("/api/v1/playground/clips", params={"name": path.name}, content=path.read_bytes())
    answer.raise_for_status()
    return answer.json()["id"]


def _inside(path: Path) -> str:
    return "data:video/mp4;base64," + base64.b64encode(path.read_bytes()).decode()


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
