"""What a CUDA build of torch brings along is counted from the index, or not at all."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from orchestrator.stack.cuda_packages import Untold, extra_bytes

WHEELS = {
    "torch": ("2.13.0", 500, ["filelock", 'nvidia-cudnn==9.1; sys_platform != "none"', "cuda-toolkit[nvrtc]==13.0"]),
    "nvidia-cudnn": ("9.1", 700, ["nvidia-cublas"]),
    "nvidia-cublas": ("13.1", 400, []),
    "cuda-toolkit": ("13.0", 1, ['nvidia-nvrtc==13.0; extra == "nvrtc"', 'nvidia-nvjpeg==13.0; extra == "nvjpeg"']),
    "nvidia-nvrtc": ("13.0", 90, []),
}


@pytest.fixture
def index() -> Iterator[dict[str, Any]]:
    """A package index with sizes and metadata; `metadata` turns the latter off."""
    state: dict[str, Any] = {"metadata": True}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/").split("/")[-1]
            if name.endswith(".metadata"):
                package = name.split("-")[0].replace("_", "-")
                body = "\n".join(f"Requires-Dist: {line}" for line in WHEELS[package][2]) + "\n\nRequires-Dist: no\n"
            else:
                version, size, _ = WHEELS[name]
                file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
                row: dict[str, Any] = {"filename": file, "url": f"../files/{file}#sha256=x", "size": size}
                row["core-metadata"] = state["metadata"]
                older = row | {"filename": file.replace(version, "0.1"), "size": 9}
                body = json.dumps({"files": [older, row, {"filename": "odd.tar.gz", "url": "x"}]})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state["url"] = f"http://127.0.0.1:{server.server_port}/simple"
    yield state
    server.shutdown()
    server.server_close()


def test_everything_that_only_cuda_needs_is_counted_once(index: dict[str, Any]) -> None:
    assert extra_bytes(index["url"], "torch==2.13.0") == 700 + 400 + 1 + 90


def test_an_index_without_metadata_yields_nothing(index: dict[str, Any]) -> None:
    index["metadata"] = False
    with pytest.raises(Untold):
        extra_bytes(index["url"], "torch==2.13.0")
    with pytest.raises(Untold):
        extra_bytes(index["url"], "torch==9.9")
