"""Runs Python programs in forks of a process that has imported torch: the imports take 4 to 7 s of a core each time.

`python tests/forked_programs.py MODULE...` is that process: it imports the modules, then forks for each request, a line
of JSON on its standard input, and answers with the exit code of the fork.
"""

import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path

TRANSFORMERS = "torch transformers.modeling_utils transformers.processing_utils transformers.models.auto.modeling_auto"
PEFT = f"{TRANSFORMERS} peft"


def run_program(imported: str, program: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program in its own folder, as `python PROGRAM ARGUMENTS` would.

    Args:
        imported: the modules that are already imported, `TRANSFORMERS` or `PEFT`.
    """
    server = _server(imported)
    assert server.stdin
    assert server.stdout
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        given = {"program": str(program), "arguments": arguments, "out": str(out), "err": str(err)}
        server.stdin.write(json.dumps(given) + "\n")
        server.stdin.flush()
        try:
            code = int(server.stdout.readline())
        except BaseException:  # the test's time has run out: this answer is not the next program's
            server.kill()
            _server.cache_clear()
            raise
        return subprocess.CompletedProcess([str(program), *arguments], code, out.read_text(), err.read_text())


@cache
def _server(imported: str) -> "subprocess.Popen[str]":
    """It ends with this process, which closes its standard input."""
    command = [sys.executable, __file__, *imported.split()]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _run(program: str, arguments: list[str], out: str, err: str) -> None:
    """In the fork: becomes the program."""
    for number, path in ((0, os.devnull), (1, out), (2, err)):
        os.dup2(os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT), number)
    os.chdir(Path(program).parent)
    sys.argv, sys.path[0] = [program, *arguments], str(Path(program).parent)
    code = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _serve(imported: list[str]) -> None:
    for name in imported:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1:])
