"""The program of a captioning adapter's card."""

from jobs.families.captioner.load import UNQUANTIZED
from jobs.families.card_program import program_parts
from jobs.families.protocol import Plan

_PROGRAM = """{imports}
here = Path(__file__).resolve().parent
{base}
model = PeftModel.from_pretrained(base, here).eval()
processor = AutoImageProcessor.from_pretrained(here)
tokenizer = AutoTokenizer.from_pretrained(here)
count = base.config.encoder.num_frames
{functions}
for path in sys.argv[1:]:
{read_frames}
    pixels = processor(sampled, return_tensors="pt").pixel_values.to(device)
    with torch.no_grad():
        ids = model.generate(pixel_values=pixels, num_beams=1, do_sample=False)[0]
    print(path, tokenizer.decode(ids, skip_special_tokens=True), sep="\\t")
"""


def caption_program(plan: Plan, base_ref: str) -> tuple[str, str]:
    """File name and source of a program that prints each clip's path and its caption."""
    classes = ("AutoImageProcessor", "AutoTokenizer")
    parts = program_parts(plan, base_ref, "VisionEncoderDecoderModel", UNQUANTIZED, classes)
    return "caption.py", _PROGRAM.format(**parts)
