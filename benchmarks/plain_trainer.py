"""What people write today: transformers' Trainer over a 4-bit VideoMAE with LoRA, each clip decoded in each epoch."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import av
import torch
from peft import LoraConfig, get_peft_model
from torch.utils.data import Dataset
from transformers import (
    AutoModelForVideoClassification,
    BitsAndBytesConfig,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    VideoMAEImageProcessor,
)


class Clips(Dataset[dict[str, Any]]):
    """Path and class of each clip."""

    def __init__(self, clips: list[tuple[str, int]], processor: Any, count: int) -> None:
        self._clips, self._processor, self._count = clips, processor, count

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, index: int) -> dict[str, Any]:
        path, label = self._clips[index]
        with av.open(path) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        seen = [frames[int((i + 0.5) * len(frames) / self._count)] for i in range(self._count)]
        return {"pixel_values": self._processor(seen, return_tensors="pt")["pixel_values"][0], "labels": label}


class Clock(TrainerCallback):
    """Seconds at the end of each step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.times.append(time.monotonic())


def main() -> None:
    """Argument: the settings as JSON; the times are written next to it."""
    settings = json.loads(Path(sys.argv[1]).read_text())
    four_bit = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
        llm_int8_skip_modules=["classifier"],
    )
    base = AutoModelForVideoClassification.from_pretrained(
        settings["base"], num_labels=4, ignore_mismatched_sizes=True, quantization_config=four_bit, dtype=torch.float32
    )
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", modules_to_save=["classifier"])
    clock = Clock()
    how = TrainingArguments(
        output_dir=settings["out"],
        per_device_train_batch_size=settings["batch"],
        num_train_epochs=settings["epochs"],
        learning_rate=2e-3,
        lr_scheduler_type="cosine",
        logging_steps=1,
        save_strategy="epoch",
        use_cpu=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        report_to=[],
        disable_tqdm=True,
    )
    processor = VideoMAEImageProcessor.from_pretrained(settings["base"])
    clips = Clips(settings["clips"], processor, base.config.num_frames)
    model: Any = get_peft_model(base, lora)
    Trainer(model=model, args=how, train_dataset=clips, callbacks=[clock]).train()
    model.save_pretrained(Path(settings["out"]) / "adapter")
    Path(sys.argv[1]).with_name("times.json").write_text(json.dumps(clock.times))


if __name__ == "__main__":
    main()
