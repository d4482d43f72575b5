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
    """Qwen3-VL: the marks of each pair of frames stand behind their time."""
    patches, grid = qwen_patches(frames, n)
    count = grid[1] * grid[2] // n["merge"] ** 2
    times = [(2 * i + 0.5) / 2 * n["time"] / 2 for i in range(grid[0])]
    told = [f"<{s:.1f} seconds><|vision_start|>{mark * count}<|vision_end|>" for s in times]
    return {"pixel_values_videos": patches, "video_grid_thw": torch.tensor([grid])}, "".join(told)


def videollama3(frames: torch.Tensor, n: dict[str, int], mark: str) -> tuple[dict[str, Any], str]:
    """Video-LLaMA 3: every frame with its time; no token is dropped."""
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
    """SmolVLM2: each frame as an image of its own, with its time."""
    seconds, count = len(frames) // 2, n["tokens"]
    around = "<fake_token_around_image>"
    head = f"You are provided the following series of {len(frames)} frames from a 0:00:{seconds:02d} [H:MM:SS] video.\n"
    told = [f"\nFrame from 00:{i // 2:02d}:{around}<global-img>{mark * count}{around}" for i in range(len(frames))]
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
    """Flamingo's open form: one mark a frame; what the frames show comes in through the gated cross-attention."""
    around = "<fake_token_around_image>"
    return {"pixel_values": frames[None]}, around + (mark + around) * len(frames)
