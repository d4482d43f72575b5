"""Random bases of the standard families: published configs minus size, processors and chat templates as published.

Where the values are from: config fields are those of the configuration classes of transformers 5.23 and of configs that
other projects' tests quote; sizes, numbers of layers and experts, and the vocabulary are small instead. Settings of
processors are the defaults of transformers' classes, which their authors wrote for these checkpoints.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from tests.unit.jobs.families.templates import VICUNA
from tests.unit.jobs.families.tiny_llms import tokenizer

_ENDS = ("<pad>", "<s>", "</s>")
_QWEN_TOKENS = (*_ENDS, "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
                "<|video_pad|>")  # fmt: skip
_GLM_TOKENS = (*_ENDS, "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|begin_of_image|>",
               "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>", "<|image|>", "<|video|>")  # fmt: skip
_GEMMA_TOKENS = (*_ENDS, "<bos>", "<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|image|>", "<|image>", "<image|>",
                 "<|video|>", "<|audio|>", "<|audio>", "<audio|>")  # fmt: skip
_LLAVA_TOKENS = (*_ENDS, "<image>", "<video>")
_MINICPM_TOKENS = (*_QWEN_TOKENS, "<image>", "</image>", "<slice>", "</slice>", "<image_id>", "</image_id>")
_MOLMO_TOKENS = (*_ENDS, "<|im_start|>", "<|im_end|>", "<|image|>", "<|video|>")
_MOLMO_MORE = ("<im_start>", "<im_end>", "<im_patch>", "<im_col>", "<low_res_im_start>", "<im_low>", "<frame_start>",
               "<frame_end>")  # fmt: skip
"""Behind the vocabulary of the head: the model reads them and never writes them."""

_QWEN3_5_TEMPLATE = """{%- macro render(content) %}{%- if content is string %}{{- content }}{%- else %}\
{%- for item in content %}{%- if 'image' in item or item.type == 'image' %}\
{{- '<|vision_start|><|image_pad|><|vision_end|>' }}{%- elif 'video' in item or item.type == 'video' %}\
{{- '<|vision_start|><|video_pad|><|vision_end|>' }}{%- elif 'text' in item %}{{- item.text }}{%- endif %}\
{%- endfor %}{%- endif %}{%- endmacro %}\
{%- for message in messages %}{%- set content = render(message.content)|trim %}\
{%- if message.role == 'assistant' and loop.last %}\
{{- '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + content + '<|im_end|>\\n' }}\
{%- else %}{{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}{%- endif %}{%- endfor %}\
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}\
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}\
{%- else %}{{- '<think>\\n' }}{%- endif %}{%- endif %}"""
"""Without tools and reasoning: its end, which opens a thought unless it is told otherwise, is quoted in many places."""
_GLM_TEMPLATE = """[gMASK]<sop>
{%- for msg in messages %}
    {%- if msg.role == 'system' %}
<|system|>
{{ msg.content }}
    {%- elif msg.role == 'user' %}
<|user|>{{ '\\n' }}
        {%- if msg.content is string %}
{{ msg.content }}
        {%- else %}
            {%- for item in msg.content %}
                {%- if item.type == 'video' or 'video' in item %}
<|begin_of_video|><|video|><|end_of_video|>
                {%- elif item.type == 'image' or 'image' in item %}
<|begin_of_image|><|image|><|end_of_image|>
                {%- elif item.type == 'text' %}
{{ item.text }}
                {%- endif %}
            {%- endfor %}
        {%- endif %}
    {%- elif msg.role == 'assistant' %}
        {%- if msg.metadata %}
<|assistant|>{{ msg.metadata }}
{{ msg.content }}
        {%- else %}
<|assistant|>
{{ msg.content }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{% if add_generation_prompt %}<|assistant|>
{% endif %}"""
"""Of GLM-4.1V, as SGLang's tests quote it. The answers and instructions of a chat are texts and no lists of parts."""
_GLM_4_5_TEMPLATE = """[gMASK]<sop>
{%- macro visible_text(content) -%}
    {%- if content is string -%}{{- content }}
    {%- else -%}
        {%- for item in content -%}
            {%- if item.type == 'text' -%}{{- item.text }}
            {%- elif item.type == 'video' or 'video' in item -%}{{- '<|begin_of_video|><|video|><|end_of_video|>' }}
            {%- elif item.type == 'image' or 'image' in item -%}{{- '<|begin_of_image|><|image|><|end_of_image|>' }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
{% for m in messages %}
{%- if m.role == 'user' -%}<|user|>
{%- set user_content = visible_text(m.content) -%}
{{ user_content }}
{{- '/nothink' if (enable_thinking is defined and not enable_thinking and not user_content.endswith("/nothink")) \
else '' -}}
{%- elif m.role == 'assistant' -%}
<|assistant|>
{{ '\\n<think></think>' }}
{{ '\\n' + visible_text(m.content).strip() }}
{%- elif m.role == 'system' -%}
<|system|>
{{ visible_text(m.content) }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    <|assistant|>{{- '\\n<think></think>' if (enable_thinking is defined and not enable_thinking) else '' -}}
{%- endif -%}"""
"""Of GLM-4.5, as llama.cpp keeps it, without tools and with the marks of clips that GLM-4.5V's adds."""
_GEMMA_TEMPLATE = """{{ bos_token }}
{%- set loop_messages = messages -%}
{%- if messages[0]['role'] in ['system', 'developer'] -%}
    {{- '<|turn>system\\n' -}}
    {{- messages[0]['content'] | trim -}}
    {%- set loop_messages = messages[1:] -%}
    {{- '<turn|>\\n' -}}
{%- endif %}
{%- for message in loop_messages -%}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
        {{- '<|turn>' + role + '\\n' }}
            {%- if message['content'] is string -%}
                {{- message['content'] | trim -}}
            {%- elif message['content'] is sequence -%}
                {%- for item in message['content'] -%}
                    {%- if item['type'] == 'text' -%}
                        {{- item['text'] | trim -}}
                    {%- elif item['type'] == 'image' -%}
                        {{- '\\n\\n<|image|>\\n\\n' -}}
                    {%- elif item['type'] == 'video' -%}
                        {{- '\\n\\n<|video|>\\n\\n' -}}
                    {%- endif -%}
                {%- endfor -%}
            {%- endif -%}
            {{- '<turn|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|turn>model\\n' -}}
    {%- if not enable_thinking | default(false) -%}
        {{- '<|channel>thought\\n<channel|>' -}}
    {%- endif -%}
{%- endif -%}"""
"""As llama.cpp keeps it, without tools and thoughts."""
_MOLMO_TEMPLATE = """{% for message in messages %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}\
{% if part['type'] == 'video' %}<|video|>{% elif part['type'] == 'image' %}<|image|>{% else %}{{ part['text'] }}\
{% endif %}{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""From memory: a chat of Qwen3, on which Molmo2 is built. No begin token, which transformers' processor adds itself."""
_MINICPM_TEMPLATE = _QWEN3_5_TEMPLATE.replace("<|vision_start|>", "").replace("<|vision_end|>", "")
"""From memory: that of Qwen3.5, on which it is built, with the placeholders that its processor replaces."""


@dataclass(frozen=True)
class StandardBase:
    """What a base is made of."""

    config: dict[str, Any]
    tokens: tuple[str, ...]
    template: str
    files: dict[str, dict[str, Any]]
    names: dict[str, str] = field(default_factory=dict)
    """The names by which its processor asks its tokenizer for tokens."""
    begin: str = "<s>"

    def id_of(self, token: str) -> int:
        return 256 + self.tokens.index(token)


def _ids(tokens: tuple[str, ...], **named: str) -> dict[str, int]:
    return {name: 256 + tokens.index(token) for name, token in named.items()}


def _text(tokens: tuple[str, ...], more: dict[str, Any]) -> dict[str, Any]:
    return {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 32, "max_position_embeddings": 4096, "vocab_size": 256 + len(tokens),
        "pad_token_id": 256, "bos_token_id": 257, "eos_token_id": 258,
    } | more  # fmt: skip


_LINEAR_ATTENTION = {
    "num_hidden_layers": 4, "full_attention_interval": 4, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "linear_key_head_dim": 16, "linear_value_head_dim": 16, "linear_conv_kernel_dim": 4, "attn_output_gate": True,
    "rope_parameters": {
        "rope_type": "default", "rope_theta": 10000000, "partial_rotary_factor": 0.25, "mrope_section": [2, 1, 1],
        "mrope_interleaved": True,
    },
}  # fmt: skip
"""Three layers of linear attention, then one of full attention, as published; widths, heads and rotary parts small."""
_QWEN_VISION = {
    "depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64, "patch_size": 16,
    "spatial_merge_size": 2, "temporal_patch_size": 2, "num_position_embeddings": 16,
}  # fmt: skip
_QWEN_IDS = _ids(
    _QWEN_TOKENS, image_token_id="<|image_pad|>", video_token_id="<|video_pad|>",
    vision_start_token_id="<|vision_start|>", vision_end_token_id="<|vision_end|>",
)  # fmt: skip
_HALVES = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
_QWEN_FILES: dict[str, dict[str, Any]] = {
    "preprocessor_config.json": {
        "size": {"longest_edge": 16777216, "shortest_edge": 65536}, "patch_size": 16, "temporal_patch_size": 2,
        "merge_size": 2, "processor_class": "Qwen3VLProcessor", "image_processor_type": "Qwen2VLImageProcessorFast",
    } | _HALVES,
    "video_preprocessor_config.json": {
        "size": {"longest_edge": 25165824, "shortest_edge": 4096}, "patch_size": 16, "temporal_patch_size": 2,
        "merge_size": 2, "processor_class": "Qwen3VLProcessor", "video_processor_type": "Qwen3VLVideoProcessor",
    } | _HALVES,
}  # fmt: skip
_EXPERTS = {
    "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32,
}  # fmt: skip

_GLM_ROPE = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5, "mrope_section": [2, 3, 3]}
_GLM_VISION = {
    "depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64, "image_size": 336,
    "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2,
}  # fmt: skip
_GLM_IDS = _ids(
    _GLM_TOKENS, image_token_id="<|image|>", video_token_id="<|video|>", image_start_token_id="<|begin_of_image|>",
    image_end_token_id="<|end_of_image|>", video_start_token_id="<|begin_of_video|>",
    video_end_token_id="<|end_of_video|>",
)  # fmt: skip


def _glm_files(name: str) -> dict[str, dict[str, Any]]:
    return {
        "preprocessor_config.json": {
            "size": {"shortest_edge": 12544, "longest_edge": 9633792}, "patch_size": 14, "temporal_patch_size": 2,
            "merge_size": 2, "processor_class": f"{name}Processor", "image_processor_type": f"{name}ImageProcessor",
        },
        "video_preprocessor_config.json": {
            "size": {"shortest_edge": 12544, "longest_edge": 47040000}, "patch_size": 14, "temporal_patch_size": 2,
            "merge_size": 2, "fps": 2, "max_duration": 300, "do_sample_frames": True,
            "processor_class": f"{name}Processor", "video_processor_type": f"{name}VideoProcessor",
        },
    }  # fmt: skip


_GLM_MOE_TEXT = _text(_GLM_TOKENS, {
    "num_key_value_heads": 2, "moe_intermediate_size": 32, "num_experts_per_tok": 2, "n_routed_experts": 4,
    "n_shared_experts": 1, "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1, "norm_topk_prob": True,
    "routed_scaling_factor": 1.0, "attention_bias": True, "rope_parameters": _GLM_ROPE,
})  # fmt: skip
_CLIP_VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28,
    "patch_size": 7, "projection_dim": 32,
}  # fmt: skip

BASES: dict[str, StandardBase] = {
    "qwen3_5": StandardBase(
        {
            "text_config": _text(_QWEN_TOKENS, _LINEAR_ATTENTION),
            "vision_config": _QWEN_VISION,
            "tie_word_embeddings": True,
        }
        | _QWEN_IDS,
        _QWEN_TOKENS,
        _QWEN3_5_TEMPLATE,
        _QWEN_FILES,
    ),
    "qwen3_5_moe": StandardBase(
        {
            "text_config": _text(_QWEN_TOKENS, _LINEAR_ATTENTION | _EXPERTS),
            "vision_config": _QWEN_VISION,
            "tie_word_embeddings": False,
        }
        | _QWEN_IDS,
        _QWEN_TOKENS,
        _QWEN3_5_TEMPLATE,
        _QWEN_FILES,
    ),
    "qwen3_vl_moe": StandardBase(
        {
            "text_config": _text(
                _QWEN_TOKENS,
                {
                    "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "decoder_sparse_step": 1,
                    "mlp_only_layers": [], "norm_topk_prob": True,
                    "rope_parameters": {
                        "rope_type": "default", "rope_theta": 5000000, "mrope_section": [6, 5, 5],
                        "mrope_interleaved": True,
                    },
                },
            ),
            "vision_config": _QWEN_VISION | {"deepstack_visual_indexes": [0]},
            "tie_word_embeddings": False,
        }
        | _QWEN_IDS,
        _QWEN_TOKENS,
        _QWEN3_5_TEMPLATE.replace("<think>\\n\\n</think>\\n\\n", "").replace("<think>\\n", ""),
        _QWEN_FILES,
    ),
    "glm4v": StandardBase(
        {
            "text_config": _text(_GLM_TOKENS, {"num_key_value_heads": 2, "rope_parameters": _GLM_ROPE}),
            "vision_config": _GLM_VISION,
            "tie_word_embeddings": False,
        }
        | _GLM_IDS,
        _GLM_TOKENS,
        _GLM_TEMPLATE,
        _glm_files("Glm4v"),
    ),
    "glm4v_moe": StandardBase(
        {"text_config": _GLM_MOE_TEXT, "vision_config": _GLM_VISION, "tie_word_embeddings": False} | _GLM_IDS,
        _GLM_TOKENS,
        _GLM_4_5_TEMPLATE,
        _glm_files("Glm4v"),
    ),
    "glm46v": StandardBase(
        {
            "text_config": _text(_GLM_TOKENS, {"num_key_value_heads": 2, "rope_parameters": _GLM_ROPE})
            | {"model_type": "glm4v_text"},
            "vision_config": _GLM_VISION | {"model_type": "glm4v_vision"},
            "tie_word_embeddings": False,
        }
        | _GLM_IDS,
        _GLM_TOKENS,
        _GLM_4_5_TEMPLATE,
        _glm_files("Glm46V"),
    ),
    "gemma4": StandardBase(
        {
            "text_config": _text(
                _GEMMA_TOKENS,
                {
                    "num_hidden_layers": 4, "num_kv_shared_layers": 2, "use_double_wide_mlp": True,
                    "layer_types": ["sliding_attention", "full_attention"] * 2, "global_head_dim": 64,
                    "hidden_size_per_layer_input": 16, "vocab_size_per_layer_input": 256 + len(_GEMMA_TOKENS),
                    "final_logit_softcapping": 30.0, "sliding_window": 512, "tie_word_embeddings": True,
                    "bos_token_id": 256 + _GEMMA_TOKENS.index("<bos>"),
                },
            ),
            "vision_config": {
                "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
                "num_key_value_heads": 2, "head_dim": 16, "patch_size": 16, "pooling_kernel_size": 3,
                "position_embedding_size": 10240, "use_clipped_linears": True,
            },
            "audio_config": {
                "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "output_proj_dims": 32,
                "subsampling_conv_channels": [8, 4],
            },
            "tie_word_embeddings": True,
        }
        | _ids(
            _GEMMA_TOKENS, image_token_id="<|image|>", video_token_id="<|video|>", audio_token_id="<|audio|>",
            boi_token_id="<|image>", eoi_token_id="<image|>", boa_token_id="<|audio>", eoa_token_index="<audio|>",
        ),
        _GEMMA_TOKENS,
        _GEMMA_TEMPLATE,
        {
            "processor_config.json": {
                "audio_ms_per_token": 40, "audio_seq_length": 750, "image_seq_length": 280,
                "processor_class": "Gemma4Processor",
                "feature_extractor": {"feature_extractor_type": "Gemma4AudioFeatureExtractor"},
                "image_processor": {
                    "image_processor_type": "Gemma4ImageProcessor", "max_soft_tokens": 280, "patch_size": 16,
                    "pooling_kernel_size": 3,
                },
                "video_processor": {
                    "video_processor_type": "Gemma4VideoProcessor", "max_soft_tokens": 70, "num_frames": 32,
                    "patch_size": 16, "pooling_kernel_size": 3, "do_sample_frames": True,
                },
            },
        },
        {
            "image_token": "<|image|>", "boi_token": "<|image>", "eoi_token": "<image|>", "audio_token": "<|audio|>",
            "boa_token": "<|audio>", "eoa_token": "<audio|>",
        },
        begin="<bos>",
    ),
    "video_llava": StandardBase(
        {
            "text_config": {"model_type": "llama"} | _text(_LLAVA_TOKENS, {"num_key_value_heads": 2}),
            "vision_config": {"model_type": "clip_vision_model"} | _CLIP_VISION,
            "vision_feature_layer": -2, "vision_feature_select_strategy": "default", "image_seq_length": 256,
            "video_seq_length": 2056, "projector_hidden_act": "gelu",
        }
        | _ids(_LLAVA_TOKENS, image_token_index="<image>", video_token_index="<video>"),
        _LLAVA_TOKENS,
        VICUNA,
        {
            "preprocessor_config.json": {
                "image_processor_type": "VideoLlavaImageProcessor", "processor_class": "VideoLlavaProcessor",
                "size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28},
            },
            "video_preprocessor_config.json": {
                "video_processor_type": "VideoLlavaVideoProcessor", "processor_class": "VideoLlavaProcessor",
                "size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28},
            },
            "processor_config.json": {
                "processor_class": "VideoLlavaProcessor", "patch_size": 7, "num_additional_image_tokens": 1,
                "vision_feature_select_strategy": "default", "image_token": "<image>", "video_token": "<video>",
            },
        },
    ),
    "minicpmv4_6": StandardBase(
        {
            "text_config": {"model_type": "qwen3_5_text"} | _text(_MINICPM_TOKENS, _LINEAR_ATTENTION),
            "vision_config": {
                "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
                "image_size": 980, "patch_size": 14,
            },
            "insert_layer_id": 0, "image_size": 112, "downsample_mode": "16x", "tie_word_embeddings": True,
        }
        | _ids(_MINICPM_TOKENS, image_token_id="<|image_pad|>", video_token_id="<|video_pad|>"),
        _MINICPM_TOKENS,
        _MINICPM_TEMPLATE,
        {
            "preprocessor_config.json": {
                "image_processor_type": "MiniCPMV4_6ImageProcessor", "processor_class": "MiniCPMV4_6Processor",
                "scale_resolution": 112, "patch_size": 14, "max_slice_nums": 9, "use_image_id": True,
            },
            "video_preprocessor_config.json": {
                "video_processor_type": "MiniCPMV4_6VideoProcessor", "processor_class": "MiniCPMV4_6Processor",
                "scale_resolution": 112, "patch_size": 14, "max_slice_nums": 9, "max_num_frames": 128,
            },
        },
        {
            "image_token": "<|image_pad|>", "video_token": "<|video_pad|>", "image_start_token": "<image>",
            "image_end_token": "</image>", "slice_start_token": "<slice>", "slice_end_token": "</slice>",
            "image_id_start_token": "<image_id>", "image_id_end_token": "</image_id>",
        },
    ),
    "molmo2": StandardBase(
        {
            "text_config": _text(
                _MOLMO_TOKENS,
                {
                    "additional_vocab_size": len(_MOLMO_MORE), "qk_norm_type": "qwen3", "qkv_bias": False,
                    "layer_norm_eps": 1e-6, "rope_parameters": {"rope_type": "default", "rope_theta": 1000000},
                },
            ),
            "vit_config": {
                "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2,
                "num_key_value_heads": 2, "head_dim": 16, "image_default_input_size": [84, 84], "image_patch_size": 14,
                "image_num_pos": 36,
            },
            "adapter_config": {
                "vit_layers": [-1, -2], "hidden_size": 32, "num_attention_heads": 2, "num_key_value_heads": 2,
                "head_dim": 16, "intermediate_size": 64, "text_hidden_size": 64,
            },
            "tie_word_embeddings": False,
        }
        | _ids(
            (*_MOLMO_TOKENS, *_MOLMO_MORE), image_start_token_id="<im_start>", image_end_token_id="<im_end>",
            image_patch_id="<im_patch>", low_res_image_start_token_id="<low_res_im_start>",
            frame_start_token_id="<frame_start>", frame_end_token_id="<frame_end>",
        ),
        (*_MOLMO_TOKENS, *_MOLMO_MORE),
        _MOLMO_TEMPLATE,
        {
            "preprocessor_config.json": {
                "image_processor_type": "Molmo2ImageProcessor", "processor_class": "Molmo2Processor",
                "size": {"height": 84, "width": 84}, "patch_size": 14,
            },
            "video_preprocessor_config.json": {
                "video_processor_type": "Molmo2VideoProcessor", "processor_class": "Molmo2Processor",
                "size": {"height": 84, "width": 84}, "patch_size": 14, "pooling_size": [3, 3], "num_frames": 64,
                "max_fps": 2,
            },
        },
        {"image_token": "<|image|>", "video_token": "<|video|>"},
    ),
}  # fmt: skip


def write_files(name: str, folder: Path) -> Path:
    """Writes config, tokenizer and processor of a base, without weights."""
    base = BASES[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": name} | base.config))
    tokens = tokenizer(base.tokens)
    tokens.bos_token, tokens.chat_template = base.begin, base.template
    tokens.save_pretrained(folder)
    if base.names:
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"extra_special_tokens": base.names}))
    for file, content in base.files.items():
        (folder / file).write_text(json.dumps(content))
    return folder


def make_standard(name: str, folder: Path) -> Path:
    """Writes a random base of a standard family; its config.json stays the published one."""
    write_files(name, folder)
    torch.manual_seed(0)
    published = (folder / "config.json").read_text()
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    AutoModelForImageTextToText.from_config(config, dtype=torch.float32).save_pretrained(folder)
    (folder / "config.json").write_text(published)
    return folder
