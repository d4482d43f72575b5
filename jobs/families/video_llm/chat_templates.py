"""Chat templates of published bases: for a base that brings none, and the one that a processor takes in its place."""

_QWEN = """{% for message in messages %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}\
{% if part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}\
{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
_ONEVISION = """{% for message in messages %}{{ '<|im_start|>' + message['role'] + ' ' }}\
{% for part in message['content'] %}{% if part['type'] == 'video' %}{{ '<video>\n' }}{% endif %}{% endfor %}\
{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ '\n' + part['text'] }}{% endif %}{% endfor %}\
{{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""
_VICUNA = """{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'][0]['text'] }}\
{% else %}{{ message['role'].upper() + ': ' }}{% for part in message['content'] %}{% if part['type'] == 'video' %}\
{{ '<video>\n' }}{% endif %}{% endfor %}{% for part in message['content'] %}{% if part['type'] == 'text' %}\
{{ part['text'] + ' ' }}{% endif %}{% endfor %}{% endif %}{% endfor %}\
{% if add_generation_prompt %}ASSISTANT:{% endif %}"""
SMOLVLM = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% elif line['type'] == 'video' %}{{ '<video>' }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
"""The template of transformers' processor for clips, which it takes in the place of the base's own."""
TEMPLATES: dict[str, str] = {
    **dict.fromkeys(("Qwen2VLProcessor", "Qwen2_5_VLProcessor", "Qwen3VLProcessor"), _QWEN),
    "VideoLlama3Processor": _QWEN.replace("<|vision_start|><|video_pad|><|vision_end|>", "<|video_pad|>"),
    "SmolVLMProcessor": SMOLVLM,
    "LlavaOnevisionProcessor": _ONEVISION,
    "LlavaNextVideoProcessor": _VICUNA,
    "InternVLProcessor": _QWEN.replace("<|vision_start|><|video_pad|><|vision_end|>", "<video>\n"),
}
"""By the class of the processor, for a base without a chat template."""


_WITHOUT_THOUGHTS = "{%- set enable_thinking = enable_thinking | default(false) -%}"


def without_thoughts(template: str) -> str:
    """The template, asking for no thought where it would ask for one unless it is told otherwise.

    The answers that a run learns have no thoughts, and its adapter is asked as it was taught.
    """
    return _WITHOUT_THOUGHTS + template if "enable_thinking" in template else template
