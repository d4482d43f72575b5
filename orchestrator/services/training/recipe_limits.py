"""Where a recipe meets a wall: the context of its base, the pixels it was made for, the memory of the device."""

from orchestrator.domain.families import LIGER_FAMILIES
from orchestrator.domain.models import VideoModel
from orchestrator.domain.recipes import LIGER_MISSING, Recipe, smaller_batch
from orchestrator.services.models.vision_tokens import visual_tokens

Problem = tuple[str, str]
FULL = 0.95
"""Share of a device's memory that a run may take."""
_SPARE_TOKENS = 64
"""Kept for the question and a caption."""
_POINTLESS = 100_000_000
"""Parameters under which 4 bits save too little to be worth their arithmetic."""


def sight_problems(model: VideoModel, recipe: Recipe) -> list[Problem]:
    """Frames and pixels that this base cannot take."""
    facts, data = model.details or {}, recipe.data
    sight = facts.get("sight")
    made = int((sight or {}).get("edge") or facts.get("image_size") or 0)
    free = bool(sight and sight["free"])
    if data.size and made and not free and data.size != made:
        return [("data.size", f"This base sees exactly {made} x {made} pixels. Leave Frame size empty.")]
    if not sight:
        return []
    step = sight["patch"] * sight["merge"]
    if data.size and free and data.size % step:
        return [("data.size", f"Frame size must be a multiple of {step} for this base, such as {made}.")]
    room = sight["context"] - _SPARE_TOKENS
    tokens = visual_tokens(sight, data.frames, data.size)
    if sight["context"] and tokens > room:
        each = tokens / (data.frames or sight["frames"])
        most = max(1, int(room / each))
        return [
            (
                "data.frames",
                f"A clip takes {tokens:,} tokens, and this base reads {sight['context']:,} at once. "
                f"Use {most} frames or fewer.",
            )
        ]
    return []


def kernel_problems(model: VideoModel, recipe: Recipe, gpu: bool) -> list[Problem]:
    """Liger's kernels where they cannot be had."""
    if not recipe.optim.liger:
        return []
    if model.family not in LIGER_FAMILIES:
        return [("optim.liger", LIGER_MISSING["family"])]
    return [] if gpu else [("optim.liger", LIGER_MISSING["gpu"])]


def fit_problems(recipe: Recipe, memory_bytes: int, room: int) -> list[Problem]:
    """A run that the estimate says will not fit; `room` 0 says that nobody knows the device."""
    if not room or memory_bytes <= FULL * room:
        return []
    needs = f"This needs about {memory_bytes / 1e9:.1f} GB, and the device has {room / 1e9:.1f} GB."
    if smaller := smaller_batch(recipe.optim.batch_size, recipe.optim.gradient_accumulation):
        wiser = f"Try a batch of {smaller[0]} with {smaller[1]} times accumulation"
        return [("optim.batch_size", f"{needs} {wiser}, or rehearse it: two real steps tell for sure.")]
    if recipe.qlora.enabled and recipe.qlora.bits != 4:
        return [("qlora.bits", f"{needs} Choose 4-bit.")]
    return [("data.frames", f"{needs} Use fewer frames, or a smaller base.")]


def advice(model: VideoModel, recipe: Recipe, gpu: bool) -> list[str]:
    """What would be wiser, where nothing is wrong."""
    if not recipe.qlora.enabled:
        return []
    saved = model.parameters * (2 if gpu else 4) - int((model.details or {}).get("nf4_bytes") or model.parameters // 2)
    small = 0 < model.parameters < _POINTLESS
    if recipe.qlora.bits == 4 and small:
        megabytes = f"{saved / 1e6:.0f} MB" if saved >= 1e6 else "next to nothing"
        return [f"4-bit saves {megabytes} on a base this small. Plain LoRA (16-bit) learns as well, and faster."]
    if recipe.qlora.bits == 16 and not small and model.parameters:
        return [f"4-bit would save {max(0, saved) / 1e9:.1f} GB of memory here."]
    return []
