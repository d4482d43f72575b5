"""The program of a video language model's card; it contains the very layout function that the training used."""

import inspect

from jobs.families.card_program import program_parts
from jobs.families.protocol import Plan
from jobs.families.video_llm import layouts
from jobs.families.video_llm.architecture import Architecture
from jobs.families.video_llm.chat import MAX_CAPTION_TOKENS, ChatCollator, processor_settings
from jobs.video.cache import Sampling

_MEAN, _STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
_PROGRAM = """{imports}
here = Path(__file__).resolve().parent
count, edge, resample, video_token_id = {count}, {edge}, {resample}, {video_token_id}
mean, std, sizes = {mean}, {std}, {sizes}
before_clip, before_question, after_question = {prompt!r}
question = {question!r}
paths = sys.argv[1:]
if "--question" in paths:  # another one than the run was trained with
    at = paths.index("--question")
    question, paths = paths[at + 1], paths[:at] + paths[at + 2 :]


{layout}
{functions}
tokenizer = AutoTokenizer.from_pretrained(here)
special_tokens = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
{base}
model = PeftModel.from_pretrained(base, here).eval()

for path in paths:
{read_frames}
{resized}
    pixels = torch.from_numpy(resized).permute(0, 3, 1, 2).float() / 255
    pixels = (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    inputs, video_text = {layout_name}(pixels, sizes, {video_token!r})
    pieces = [before_clip + video_text + before_question, question, after_question]
    if not any(token in question for token in special_tokens):
        pieces = ["".join(pieces)]
    ids = torch.tensor([[
        number
        for place, piece in enumerate(pieces)  # what the question spells is no special token
        for number in tokenizer(
            piece, add_special_tokens={adds_begin} and place == 0, split_special_tokens=place == 1
        ).input_ids
    ]])
    inputs |= {{"input_ids": ids, "attention_mask": torch.ones_like(ids)}}
{more_inputs}    inputs = {{
        name: value.to(device, half if value.is_floating_point() else value.dtype) for name, value in inputs.items()
    }}
    with torch.no_grad():
        answer = model.generate(
            **inputs, max_new_tokens={max_new_tokens}, do_sample=False, pad_token_id={pad_id},
            eos_token_id=tokenizer.convert_tokens_to_ids({end_token!r}),
        )[0, ids.shape[1] :]
    print(path, tokenizer.decode(answer, skip_special_tokens=True).strip(), sep="\\t")
"""
_SQUARE = """\
    images = [Image.fromarray(frame) for frame in sampled]
    resized = np.stack([np.asarray(image.resize((edge, edge), Image.Resampling(resample))) for image in images])"""
_CROPPED = """\
    height, width = sampled[0].shape[:2]
    size = (edge, edge * height // width) if width <= height else (edge * width // height, edge)
    left, top = (size[0] - edge) // 2, (size[1] - edge) // 2
    images = [Image.fromarray(frame) for frame in sampled]
    resized = [np.asarray(image.resize(size, Image.Resampling(resample))) for image in images]
    resized = np.stack([image[top : top + edge, left : left + edge] for image in resized])"""


def describe_program(plan: Plan, architecture: Architecture, sampling: Sampling, base_ref: str) -> tuple[str, str]:
    """File name and source of a program that prints each clip's path and its caption."""
    collator, settings = ChatCollator(plan, architecture, sampling), processor_settings(plan.base)
    functions = [architecture.square_layout]
    if "qwen_patches" in inspect.getsource(architecture.square_layout):
        functions.insert(0, layouts.qwen_patches)
    layout = "\n\n".join(inspect.getsource(function) for function in functions)
    parts = program_parts(
        plan,
        base_ref,
        "AutoModelForImageTextToText",
        ("lm_head", *architecture.vision_modules),
        ("AutoTokenizer",),
        half_on_gpu=True,
    )
    program = _PROGRAM.format(
        **parts,
        layout=layout.replace("[str, Any]", "[str, object]"),
        layout_name=architecture.square_layout.__name__,
        count=sampling.count,
        edge=next(iter(dict(sampling.size).values())),
        resized=_CROPPED if sampling.crop else _SQUARE,
        resample=sampling.resample,
        mean=settings.get("image_mean", _MEAN),
        std=settings.get("image_std", _STD),
        sizes=architecture.layout_sizes(plan.base.config),
        video_token=collator.tokenizer.convert_ids_to_tokens(collator.video_token_id()),
        video_token_id=collator.video_token_id(),
        prompt=collator.prompt(),
        question=collator.question,
        adds_begin=_adds_begin(collator),
        end_token=collator.end_token,
        pad_id=collator.pad_id(),
        max_new_tokens=min(MAX_CAPTION_TOKENS, collator.max_answer_length(plan.captions) + 8),
        more_inputs=_more_inputs(architecture),
    )
    return "caption.py", program


def _adds_begin(collator: ChatCollator) -> bool:
    begin = collator.tokenizer.bos_token
    return not (begin and collator.prompt()[0].startswith(str(begin)))


def _more_inputs(architecture: Architecture) -> str:
    lines = ""
    if architecture.needs_token_types:
        lines += '    inputs["mm_token_type_ids"] = (ids == video_token_id).int() * 2\n'
    if architecture.needs_image_mask:
        lines += '    inputs["image_attention_mask"] = torch.ones(*ids.shape, count, dtype=torch.long)\n'
    return lines
