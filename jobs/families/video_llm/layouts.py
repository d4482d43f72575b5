"""How each language model takes a clip: tensors for its vision tower, and the text with a clip's tokens for the prompt.

Every function uses only torch and its arguments, because its source is copied into an adapter's card. All have the same
arguments: `frames` (T, 3, H, W) float32, normalized; `n`, sizes from the config; `token`, the token that stands for a
part of the clip. The tensors of several clips are joined along their first axis. Where a prompt contains times, frames
count as sampled at two a second.
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


def qwen2(frames: torch.Tensor, n: dict[str, int], token: str) -> tuple[dict[str, Any], str]:
    """Qwen2-VL and Qwen2.5-VL: the tokens of all frames without a break."""
    patches, grid = qwen_patches(frames, n)
    count = grid[0] * grid[1] * grid[2] // n["merge"] ** 2
    return {"pixel_values_videos": patches, "video_grid_thw": torch.tensor([grid])}, token * count


def qwen3(frames: torch.Tensor, n: dict[str, int], token: str) -> tuple[dict[str, Any], str]:
    """Qwen3-VL: the time of each group of frames, the mean of its first and last frame's, stands before its tokens."""
    patches, grid = qwen_patches(frames, n)
    count, last = grid[1] * grid[2] // n["merge"] ** 2, len(frames) - 1
    times = [(i * n["time"] + min(last, (i + 1) * n["time"] - 1)) / 4 for i in range(grid[0])]
    parts = [f"<{s:.1f} seconds><|vision_start|>{token * count}<|vision_end|>" for s in times]
    return {"pixel_values_videos": patches, "video_grid_thw": torch.tensor([grid])}, "".join(parts)


def videollama3(frames: torch.Tensor, n: dict[str, int], token: str) -> tuple[dict[str, Any], str]:
    """VideoLLaMA 3: the time of every frame stands before its tokens; no token is dropped.

    Its processor drops a patch that equals the one in the frame before. Here the prompt depends on a clip's shape
    alone, so that vision features can be cached; with a camera's noise no two patches are equal anyway.
    """
    patches, grid = qwen_patches(frames, n)
    count = grid[1] * grid[2] // n["merge"] ** 2
    tensors = {
        "pixel_values_videos": patches,
        "video_grid_thw": torch.tensor([grid]),
        "video_merge_sizes": torch.tensor([n["merge"]]),
        "video_compression_mask": torch.ones(grid[0] * count, dtype=torch.bool),
    }
    return tensors, ",".join(f"Time {i / 2:.1f}s:{token * count}" for i in range(grid[0]))


def smolvlm(frames: torch.Tensor, n: dict[str, int], token: str) -> tuple[dict[str, Any], str]:
    """SmolVLM2: each frame as a separate image, with its time; the number of frames is spelled out."""
    small = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    ones = (small + "seventeen eighteen nineteen").split()
    tens = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

    def spelled(k: int) -> str:
        if k < 100:
            return ones[k] if k < 20 else tens[k // 10] + (f"-{ones[k % 10]}" if k % 10 else "")
        return f"{ones[k // 100]} hundred" + (f" and {spelled(k % 100)}" if k % 100 else "")

    s, tokens = len(frames) // 2, token * n["tokens"]
    head = f"You are provided the following series of {spelled(len(frames))} frames "
    head += f"from a {s // 3600}:{s // 60 % 60:02d}:{s % 60:02d} [H:MM:SS] video.\n"
    around = "<fake_token_around_image>"
    times = [f"{i // 120:02d}:{i // 2 % 60:02d}" for i in range(len(frames))]
    parts = [f"\nFrame from {time}:{around}<global-img>{tokens}{around}" for time in times]
    return {"pixel_values": frames[None]}, head + "".join(parts) + "\n\n"


def llava_onevision(frames: torch.Tensor, n: dict[str, int], token: str) -> tuple[dict[str, Any], str]:
    """LLaVA-OneVision: frames pooled by two, one token for the end of the clip."""
    side = -(-(frames.shape[2] // n["patch"]) // 2)
    return {"pixel_values_videos": frames[None]}, token * (len(frames) * side * side + 1)


def llava_next_video(frames: torch.Tensor, n: dict[str, int], token: str) -> tuple[dict[str, Any], str]:
    """LLaVA-NeXT-Video: frames pooled by the stride of its config."""
    side = frames.shape[2] // n["patch"] // n["stride"]
    return {"pixel_values_videos": frames[None]}, token * (len(frames) * side * side)


def internvl(frames: torch.Tensor, n: dict[str, int], token: str) -> tuple[dict[str, Any], str]:
    """InternVL: numbered frames."""
    parts = [f"Frame{i + 1}: <img>{token * n['tokens']}</img>" for i in range(len(frames))]
    return {"pixel_values": frames}, "\n".join(parts)


def idefics(frames: torch.Tensor, n: dict[str, int], token: str) -> tuple[dict[str, Any], str]:
    """IDEFICS, the open reproduction of Flamingo: one token a frame; the frames enter by gated cross-attention.

    Its processor lets a word attend only to the image before it, as for web pages with unrelated images. The frames of
    a clip belong together, and as in the paper (section 2.1) every word attends to all of them.
    """
    around = "<fake_token_around_image>"
    return {"pixel_values": frames[None]}, around + (token + around) * len(frames)
