"""Imports the heavy libraries without what they bring beside: about a second sooner in every trainer."""

import sys


def import_lean() -> None:
    """Call first of all, after `hush`.

    bitsandbytes hands functions of its own to torch.compile as it is imported, none of which we call, and the compiler
    is imported for them; accelerate imports Amazon's client for a questionnaire.
    """
    import torch

    compiler, unused = torch.compile, "boto3" not in sys.modules
    torch.compile = _as_it_is  # pyright: ignore[reportAttributeAccessIssue]
    if unused:
        sys.modules["boto3"] = None  # pyright: ignore[reportArgumentType] (Python's own way to say: not there)
    try:
        import accelerate  # noqa: F401
        import bitsandbytes  # noqa: F401
    finally:
        torch.compile = compiler
        if unused:
            del sys.modules["boto3"]


def _as_it_is(model: object = None, **_: object) -> object:
    return (lambda given: given) if model is None else model
