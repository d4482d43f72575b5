"""How each language model is shown a clip: tensors for its eye, and the marks that hold its place in the sentence.

Every function is complete in itself (torch and its arguments), because its source also goes into an adapter's card.
`frames`: (T, 3, H, W) float32, normalised; `n`: sizes from the config. The tensors of several clips are joined along
their first axis. Where a model wants to be told the time, frames count as sampled at two a second.
"""

from typing import Any

import torch


def qwen_patches(frames: torch.Tensor, n: dict[str, int]) -> tuple[torch.Tensor, list[int]]:
    """(patches, C * t * p * p) in the order of Qwen2-VL's processor, and the grid (time, height, width)."""
    t, p, m = n["time"], n["patch"], n["merge"]
    short = -len(frames) % t
    if short:
        frames = torch.cat([frames, frames[-1:].expand(short, -1, -1, -1)])
    grid = [len(frames) // t, frames.shape[2] // p, frames.shape[3] // p]
    cut = frames.reshape(grid[0], t, 3, grid[1] // m, m, p, grid[2] // m, m, p)
    return cut.permute(0, 3, 6, 4, 7, 2, 1, 5, 8).reshape(grid[0] * grid[1] * grid[2], -1), grid


def qwen2(frames: torch.Tensor, n: dict[str, int], mark: str) -> tuple[dict[str, Any], str]:
    """Qwen2-VL and Qwen2.5-VL: one run of marks."""
    patches, grid = qwen_patches(frames, n)
    count = grid[0] * grid[1] * grid[2] // n["merge"] ** 2
    return {"pixel_values_videos": patches, "video_grid_thw": torch.tensor([grid])}, mark * count


def qwen3(frames: torch.Tensor, n: dict[str, int], mark: str) -> tuple[dict[str, Any], str]:
    """Qwen3-VL: the marks of each group of frames stand behind its time, the mean of its first and last frame's."""
    patches, grid = qwen_patches(frames, n)
    count, last = grid[1] * grid[2] // n["merge"] ** 2, len(frames) - 1
    times = [(i * n["time"] + min(last, (i + 1) * n["time"] - 1)) / 4 for i in range(grid[0])]
    told = [f"<{s:.1f} seconds><|vision_start|>{mark * count}<|vision_end|>" for s in times]
    return {"pixel_values_videos": patches, "video_grid_thw": torch.tensor([grid])}, "".join(told)


def videollama3(frames: torch.Tensor, n: dict[str, int], mark: str) -> tuple[dict[str, Any], str]:
    """VideoLLaMA 3: every frame with its time; no token is dropped.

    Its processor drops a place that is the very same as in the frame before. Here the prompt depends on a clip's shape
    alone, so that what the eye saw can be kept; a camera's noise leaves nothing to drop anyway.
    """
    patches, grid = qwen_patches(frames, n)
    count = grid[1] * grid[2] // n["merge"] ** 2
    seen = {
        "pixel_values_videos": patches,
        "video_grid_thw": torch.tensor([grid]),
        "video_merge_sizes": torch.tensor([n["merge"]]),
        "video_compression_mask": torch.ones(grid[0] * count, dtype=torch.bool),
    }
    return seen, ",".join(f"Time {i / 2:.1f}s:{mark * count}" for i in range(grid[0]))


def smolvlm(frames: torch.Tensor, n: dict[str, int], mark: str) -> tuple[dict[str, Any], str]:
    """SmolVLM2: each frame as an image of its own, with its time; how many there are is spelt out."""
    small = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    ones = (small + "seventeen eighteen nineteen").split()
    tens = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

    def spelt(k: int) -> str:
        if k < 100:
            return ones[k] if k < 20 else tens[k // 10] + (f"-{ones[k % 10]}" if k % 10 else "")
        return f"{ones[k // 100]} hundred" + (f" and {spelt(k % 100)}" if k % 100 else "")

    s, marks = len(frames) // 2, mark * n["tokens"]
    head = f"You are provided the following series of {spelt(len(frames))} frames "
    head += f"from a {s // 3600}:{s // 60 % 60:02d}:{s % 60:02d} [H:MM:SS] video.\n"
    around = "<fake_token_around_image>"
    times = [f"{i // 120:02d}:{i // 2 % 60:02d}" for i in range(len(frames))]
    told = [f"\nFrame from {time}:{around}<global-img>{marks}{around}" for time in times]
    return {"pixel_values": frames[None]}, head + "".join(told) + "\n\n"


def llava_onevision(frames: torch.Tensor, n: dict[str, int], mark: str) -> tuple[dict[str, Any], str]:
    """LLaVA-OneVision: frames pooled by two, one mark for the end of the clip."""
    side = -(-(frames.shape[2] // n["patch"]) // 2)
    return {"pixel_values_videos": frames[None]}, mark * (len(frames) * side * side + 1)


def llava_next_video(frames: torch.Tensor, n: dict[str, int], mark: str) -> tuple[dict[str, Any], str]:
    """LLaVA-NeXT-Video: frames pooled by the stride of its config."""
    side = frames.shape[2] // n["patch"] // n["stride"]
    return {"pixel_values_videos": frames[None]}, mark * (len(frames) * side * side)


def internvl(frames: torch.Tensor, n: dict[str, int], mark: str) -> tuple[dict[str, Any], str]:
    """InternVL: numbered frames."""
    told = [f"Frame{i + 1}: <img>{mark * n['tokens']}</img>" for i in range(len(frames))]
    return {"pixel_values": frames}, "\n".join(told)


def idefics(frames: torch.Tensor, n: dict[str, int], mark: str) -> tuple[dict[str, Any], str]:
    """Flamingo's open form: one mark a frame; what the frames show comes in through the gated cross-attention.

    Its processor lets a word see the picture before it only, since its pages hold unrelated pictures. The frames of a
    clip are one thing, and as in the paper (section 2.1) every word sees all of them.
    """
    around = "<fake_token_around_image>"
    return {"pixel_values": frames[None]}, around + (mark + around) * len(frames)
