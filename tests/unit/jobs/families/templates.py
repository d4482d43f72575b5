"""Chat templates as published bases have them, with the special tokens of the tiny bases."""

CHATML = """{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}\
{% if part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}\
{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""Qwen2-VL, Qwen2.5-VL."""
VICUNA = """{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'][0]['text'] }}\
{% else %}{{ message['role'].upper() + ': ' }}{% for part in message['content'] %}{% if part['type'] == 'video' %}\
{{ '<video>\n' }}{% endif %}{% endfor %}{% for part in message['content'] %}{% if part['type'] == 'text' %}\
{{ part['text'] + ' ' }}{% endif %}{% endfor %}{% endif %}{% endfor %}\
{% if add_generation_prompt %}ASSISTANT:{% endif %}"""
"""LLaVA-NeXT-Video: no token ends an answer."""
ONEVISION = """{% for message in messages %}{{ '<|im_start|>' + message['role'] + ' ' }}\
{% for part in message['content'] %}{% if part['type'] == 'video' %}{{ '<video>\n' }}{% endif %}{% endfor %}\
{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ '\n' + part['text'] }}{% endif %}{% endfor %}\
{{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""
"""LLaVA-OneVision: a space behind the role of a turn, a line break behind that of the prompt."""
NUMBERED = """{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'}}\
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for content in message['content'] %}\
{% if content['type'] == 'image' %}{{ '<IMG_CONTEXT>\n' }}{% elif content['type'] == 'video' %}{{ '<video>\n' }}\
{% elif content['type'] == 'text' %}{{ content['text'] }}{% endif %}{% endfor %}{% endif %}\
{{'<|im_end|>\n'}}{% endfor %}\
{% if add_generation_prompt %}{{'<|im_start|>assistant\n' }}{% endif %}"""
"""InternVL."""
CAPITALIZED = """<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}\
{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}\
{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}\
{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>
{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"""
"""SmolVLM: it knows pictures only, and transformers' processor takes a template of its own where there is a clip."""
THINKING = CHATML.replace(
    "{% if add_generation_prompt %}<|im_start|>assistant\n",
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n\n</think>\n\n",
)
"""A prompt for an answer that begins with an empty thought, of which the turns of the chat show nothing."""
