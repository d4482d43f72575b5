"""What people write today: transformers' Trainer, a 4-bit base by bitsandbytes, LoRA by peft. Settings as JSON.

It is given the same decoded frames and the same collator, so that only the training differs.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.bare import without_av

without_av()

import torch  # noqa: E402 (PyAV's place must be taken before ours is imported)
from peft import LoraConfig, get_peft_model  # noqa: E402
from torch.utils.data import Dataset  # noqa: E402
from transformers import (  # noqa: E402
    AutoModelForImageTextToText,
    AutoModelForVideoClassification,
    BitsAndBytesConfig,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from benchmarks.gpu.result import write_result  # noqa: E402
from benchmarks.gpu.shapes import Work, caption_of  # noqa: E402
from jobs.families.protocol import Plan  # noqa: E402
from jobs.families.registry import read_base, resolve  # noqa: E402
from orchestrator.domain.recipes import parse_recipe  # noqa: E402

_LANGUAGE = r"^model\.language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)$"


class Frames(Dataset[dict[str, Any]]):
    """Decoded frames, read again in each epoch."""

    def __init__(self, paths: list[str]) -> None:
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> dict[str, Any]:
        frames = np.load(self._paths[index])
        target = {"label": index % 4, "captions": [caption_of(index)], "clip_id": index}
        return {"frames": frames, "training": True, "seed": (0, index)} | target


class Clock(TrainerCallback):
    """Seconds at the end of each step."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.times.append(time.monotonic())


def model_of(work: Work, base: str, device: str) -> Any:
    """Quantized, with adapters; a language model computes its activations again, as every guide for QLoRA says."""
    llm, on_gpu = work.family != "videomae", device != "cpu"
    kind = AutoModelForImageTextToText if llm else AutoModelForVideoClassification
    four_bit = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if on_gpu else torch.float32,
        llm_int8_skip_modules=["lm_head", "model.visual"] if llm else ["classifier"],
    )
    wide = torch.bfloat16 if on_gpu and llm else torch.float32
    model: Any = kind.from_pretrained(base, quantization_config=four_bit, dtype=wide, device_map={"": device})
    if llm:
        model.config.use_cache = False
        if on_gpu:
            model.gradient_checkpointing_enable({"use_reentrant": False})
            model.enable_input_require_grads()
        return get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules=_LANGUAGE))
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", modules_to_save=["classifier"])
    return get_peft_model(model, lora)


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text())
    work, device = Work(**settings["work"]), settings["device"]
    on_gpu, clock = device != "cpu", Clock()
    begun = time.monotonic()
    model = model_of(work, settings["base"], device)
    base = read_base(Path(settings["base"]))
    data = {} if work.family == "videomae" else {"frames": work.frames, "size": work.edge}
    plan = Plan(base, parse_recipe({"data": data}), "captioning", ("a", "b", "c", "d"), (caption_of(0),), device)
    arguments = TrainingArguments(
        output_dir=settings["out"],
        per_device_train_batch_size=work.batch,
        num_train_epochs=work.epochs,
        learning_rate=1e-4,
        lr_scheduler_type="cosine",
        logging_steps=1,
        save_strategy="epoch",
        bf16=on_gpu,
        use_cpu=not on_gpu,
        dataloader_num_workers=4 if on_gpu else 0,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
    )
    collate = resolve(base).collate(plan)
    trainer = Trainer(
        model=model, args=arguments, train_dataset=Frames(settings["frames"]), data_collator=collate, callbacks=[clock]
    )
    trainer.train()
    model.save_pretrained(Path(settings["out"]) / "adapter")
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    write_result(sys.argv[1], clock.times, losses[-1], time.monotonic() - begun)


if __name__ == "__main__":
    main()
