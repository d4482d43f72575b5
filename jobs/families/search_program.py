"""The program of a retrieval adapter's card: ranks clips by a sentence."""

import json
from collections.abc import Sequence

from jobs.families.card_program import program_parts
from jobs.families.protocol import Plan

_PROGRAM = """{imports}
here = Path(__file__).resolve().parent
{base}
model = PeftModel.from_pretrained(base, here).eval().get_base_model()
processor = AutoImageProcessor.from_pretrained(here)
tokenizer = AutoTokenizer.from_pretrained(here)
count = {count}
{functions}
sentence, *paths = sys.argv[1:]
tokens = tokenizer([sentence], padding={padding}, truncation=True, max_length={max_text_tokens}, return_tensors="pt")
tokens = {{name: tokens[name].to(device) for name in {text_inputs} if name in tokens}}
results = []
for path in paths:
{read_frames}
    pixels = processor(sampled, return_tensors="pt")["pixel_values"]
    pixels = pixels.reshape(1, count, *pixels.shape[-3:]).to(device)
    with torch.no_grad():
        {score_code}
    results.append((float(score), path))
for score, path in sorted(results, reverse=True):
    print(f"{{score:.4f}}", path, sep="\\t")
"""


def search_program(
    plan: Plan,
    base_ref: str,
    model_class: str,
    head: Sequence[str],
    *,
    count: int,
    max_text_tokens: int,
    text_inputs: Sequence[str],
    pad_to_max_length: bool,
    score_code: str,
) -> tuple[str, str]:
    """File name and source.

    Args:
        model_class: the class of transformers.
        head: modules that are not quantized.
        count: frames that the model sees of a clip.
        text_inputs: what the text tower takes of the tokenizer's output.
        pad_to_max_length: the sentence is padded to `max_text_tokens`.
        score_code: lines that compute `score` from `model`, `pixels` (1, T, 3, H, W) and `tokens`.
    """
    functions = [name for name in ("cosine_similarity", "normalize") if name in score_code]
    similarity = [f"from torch.nn.functional import {', '.join(functions)}"] if functions else []
    classes = ("AutoImageProcessor", "AutoTokenizer")
    program = _PROGRAM.format(
        **program_parts(plan, base_ref, model_class, head, classes, extra_imports=similarity),
        count=count,
        padding='"max_length"' if pad_to_max_length else "True",
        max_text_tokens=max_text_tokens,
        text_inputs=json.dumps(list(text_inputs)),
        score_code=score_code.strip().replace("\n", "\n        "),
    )
    return "search.py", program
