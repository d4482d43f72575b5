"""`/v1` as its clients use it: OpenAI's own for Python and JavaScript, and the AI SDK of many chat front ends."""

import base64
import io
import json
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import BadRequestError, OpenAI
from PIL import Image

from benchmarks.studio import Studio
from jobs.video.synthetic import demo_frames, write_mp4
from orchestrator.settings import ROOT
from orchestrator.stack.node import node_environment
from tests.studio import until
from tests.unit.jobs.families.test_chat_prompt import PARTS
from tests.unit.jobs.families.tiny_llms import make_tiny

HERE = Path(__file__).parent / "v1_clients"
Message = dict[str, Any]


@pytest.fixture
def key(api: httpx.Client) -> str:
    made = api.post("/tokens", json={"name": "chat", "scopes": ["infer"], "expires_days": 1})
    assert made.status_code == 201, made.text
    return made.json()["token"]


@pytest.fixture
def captioner(api: httpx.Client) -> str:
    until(lambda: api.get("/models").json()["total"] >= 3, what="the built-in bases")
    return "Tiny captioner"


@pytest.fixture
def chat_base(api: httpx.Client, app_server: Studio) -> str:
    """A base that reads whole chats: Qwen2-VL's classes and its template, random weights."""
    base = make_tiny("qwen2_vl", app_server.data_dir / "models" / f"chat-{secrets.token_hex(4)}")
    (base / "chat_template.jinja").write_text(PARTS)
    kind = {"name": base.name, "model_type": "video_captioning", "architecture": "Custom"}
    added = api.post("/models", json=kind | {"source": {"type": "path", "path": str(base)}})
    assert added.status_code == 201, added.text
    model = added.json()["id"]
    until(lambda: api.get(f"/models/{model}").json()["status"] == "ready", 60, "the base is ready")
    return f"model-{model}"


def clip_address(folder: Path) -> str:
    film = write_mp4(folder / "mine.mp4", demo_frames("zooming", 3)).read_bytes()
    return "data:video/mp4;base64," + base64.b64encode(film).decode()


def shows(clip: str, words: str = "What moves?") -> Message:
    return {
        "role": "user",
        "content": [{"type": "text", "text": words}, {"type": "video_url", "video_url": {"url": clip}}],
    }


def test_openais_client_for_python(
    api: httpx.Client, app_server: Studio, key: str, captioner: str, chat_base: str, tmp_path: Path
) -> None:
    client = OpenAI(base_url=f"{app_server.url}/v1", api_key=key, max_retries=0, timeout=120)
    clip = clip_address(tmp_path)

    def ask(model: str, messages: list[Message], **more: Any) -> Any:
        return client.chat.completions.create(model=model, messages=messages, **more)  # type: ignore[call-overload]

    assert {model.id for model in client.models.list()} >= {chat_base}
    whole = ask(captioner, [shows(clip)])
    text, usage = whole.choices[0].message.content, whole.usage
    assert (whole.choices[0].finish_reason, usage.total_tokens) == (
        "stop",
        usage.prompt_tokens + usage.completion_tokens,
    )
    assert len(text.split()) > 2
    assert "reads no text" in whole.warnings[0]  # the shipped captioner describes the clip, whatever it is asked
    cut = ask(captioner, [shows(clip)], max_tokens=1)
    assert (cut.choices[0].finish_reason, cut.usage.completion_tokens) == ("length", 1)
    assert text.startswith(cut.choices[0].message.content)
    second = text.split()[1]
    stopped = ask(captioner, [shows(clip)], stop=[f" {second}"])
    assert (stopped.choices[0].message.content, stopped.choices[0].finish_reason) == (text.split()[0], "stop")
    chunks = list(ask(captioner, [shows(clip)], stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert (chunks[-1].choices, chunks[-1].usage) == ([], usage)

    # A chat whose clip stands in an earlier turn, then one with the same seed: the same answer.
    chat = [{"role": "system", "content": "Be brief."}, shows(clip), {"role": "assistant", "content": "A disc."}]
    chat.append({"role": "user", "content": "And its colour?"})
    one, two = (ask(chat_base, chat, max_tokens=12, temperature=1.0, seed=5) for _ in range(2))
    assert one.choices[0].message.content == two.choices[0].message.content
    short = ask(chat_base, chat[1:2], max_tokens=12)
    assert one.usage.prompt_tokens > short.usage.prompt_tokens  # the other turns are read
    assert not getattr(one, "warnings", None)
    for refused, field in (
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "n"),
    ):
        with pytest.raises(BadRequestError) as error:
            ask(captioner, [shows(clip)], **refused)
        assert error.value.param == field
    own = app_server.data_dir / "scratch" / str(api.get("/me").json()["id"])
    assert list(own.iterdir()) == []  # clips inside questions are gone with them


def test_javascripts_clients(app_server: Studio, key: str, captioner: str, chat_base: str, tmp_path: Path) -> None:
    clients = install_clients()
    file = io.BytesIO()
    Image.new("RGB", (32, 24), "#ff0000").save(file, "PNG")
    given = {"URL": f"{app_server.url}/v1", "KEY": key, "MODEL": chat_base, "CAPTIONER": captioner}
    given |= {"CLIP": clip_address(tmp_path), "PICTURE": base64.b64encode(file.getvalue()).decode()}
    run = subprocess.run(
        ["node", str(clients / "ask.mjs")],
        env=node_environment() | given,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3_000:]
    found = json.loads(run.stdout)
    assert found["whole"]["reason"] in ("stop", "length")
    assert found["stream"]["text"] == found["whole"]["text"]
    assert found["stream"]["reasons"] == [found["whole"]["reason"]]
    assert (found["stream"]["usages"], found["stream"]["without_choices"]) == ([found["whole"]["usage"]], 1)
    assert found["refusals"] == [[400, "tools"], [400, "response_format"], [400, "max_tokens"]]
    assert found["after_dropped"] == "stop"
    assert found["frontEnd"]["reason"] in ("stop", "length")
    assert found["frontEnd"]["usage"]["outputTokens"] > 0
    assert found["frontEndStream"] == found["frontEnd"]


def install_clients() -> Path:
    """The packages of package.json, installed once for each version; skips where npm's registry does not answer."""
    wanted = (HERE / "package.json").read_text()
    folder = ROOT / ".loreel" / "openai-clients"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ask.mjs").write_text((HERE / "ask.mjs").read_text())
    if (folder / "installed.json").is_file() and (folder / "installed.json").read_text() == wanted:
        return folder
    (folder / "package.json").write_text(wanted)
    command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
    env = node_environment(dict(os.environ))
    run = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)
    if run.returncode:
        pytest.skip(f"npm's registry does not give the JavaScript clients: {run.stderr[-300:]}")
    (folder / "installed.json").write_text(wanted)
    return folder
