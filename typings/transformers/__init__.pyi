"""The names that this project and peft take from transformers.

Its own `__init__.py` imports every model there is, which takes the type checker 20 s of a core to read.
"""

from transformers import training_args as training_args

from transformers.cache_utils import (
    Cache as Cache,
    DynamicCache as DynamicCache,
    EncoderDecoderCache as EncoderDecoderCache,
)
from transformers.configuration_utils import PretrainedConfig as PretrainedConfig
from transformers.generation import GenerationConfig as GenerationConfig, GenerationMixin as GenerationMixin
from transformers.modeling_utils import PreTrainedModel as PreTrainedModel
from transformers.models.auto.configuration_auto import AutoConfig as AutoConfig
from transformers.models.auto.image_processing_auto import AutoImageProcessor as AutoImageProcessor
from transformers.models.auto.modeling_auto import (
    AutoModel as AutoModel,
    AutoModelForCausalLM as AutoModelForCausalLM,
    AutoModelForImageTextToText as AutoModelForImageTextToText,
    AutoModelForQuestionAnswering as AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM as AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification as AutoModelForSequenceClassification,
    AutoModelForTokenClassification as AutoModelForTokenClassification,
    AutoModelForVideoClassification as AutoModelForVideoClassification,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING as MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
)
from transformers.models.auto.processing_auto import AutoProcessor as AutoProcessor
from transformers.models.auto.tokenization_auto import AutoTokenizer as AutoTokenizer
from transformers.models.bloom.modeling_bloom import BloomPreTrainedModel as BloomPreTrainedModel
from transformers.models.clip.configuration_clip import CLIPConfig as CLIPConfig, CLIPTextConfig as CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPModel as CLIPModel
from transformers.models.roberta.configuration_roberta import RobertaConfig as RobertaConfig
from transformers.models.roberta.modeling_roberta import RobertaForCausalLM as RobertaForCausalLM
from transformers.models.siglip.configuration_siglip import SiglipConfig as SiglipConfig
from transformers.models.siglip.modeling_siglip import SiglipModel as SiglipModel
from transformers.models.timesformer.configuration_timesformer import TimesformerConfig as TimesformerConfig
from transformers.models.timesformer.modeling_timesformer import (
    TimesformerForVideoClassification as TimesformerForVideoClassification,
)
from transformers.models.videomae.configuration_videomae import VideoMAEConfig as VideoMAEConfig
from transformers.models.videomae.image_processing_videomae import VideoMAEImageProcessor as VideoMAEImageProcessor
from transformers.models.videomae.modeling_videomae import (
    VideoMAEForPreTraining as VideoMAEForPreTraining,
    VideoMAEForVideoClassification as VideoMAEForVideoClassification,
    VideoMAEModel as VideoMAEModel,
)
from transformers.models.vision_encoder_decoder.configuration_vision_encoder_decoder import (
    VisionEncoderDecoderConfig as VisionEncoderDecoderConfig,
)
from transformers.models.vision_encoder_decoder.modeling_vision_encoder_decoder import (
    VisionEncoderDecoderModel as VisionEncoderDecoderModel,
)
from transformers.models.vision_text_dual_encoder.configuration_vision_text_dual_encoder import (
    VisionTextDualEncoderConfig as VisionTextDualEncoderConfig,
)
from transformers.models.vision_text_dual_encoder.modeling_vision_text_dual_encoder import (
    VisionTextDualEncoderModel as VisionTextDualEncoderModel,
)
from transformers.models.vit.configuration_vit import ViTConfig as ViTConfig
from transformers.models.vit.modeling_vit import ViTForImageClassification as ViTForImageClassification
from transformers.models.vivit.configuration_vivit import VivitConfig as VivitConfig
from transformers.models.vivit.image_processing_vivit import VivitImageProcessor as VivitImageProcessor
from transformers.models.vivit.modeling_vivit import VivitForVideoClassification as VivitForVideoClassification
from transformers.models.vjepa2.configuration_vjepa2 import VJEPA2Config as VJEPA2Config
from transformers.models.vjepa2.modeling_vjepa2 import (
    VJEPA2ForVideoClassification as VJEPA2ForVideoClassification,
)
from transformers.models.vjepa2.modeling_vjepa2 import VJEPA2Model as VJEPA2Model
from transformers.models.x_clip.configuration_x_clip import XCLIPConfig as XCLIPConfig
from transformers.models.x_clip.modeling_x_clip import XCLIPModel as XCLIPModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase as PreTrainedTokenizerBase
from transformers.tokenization_utils_tokenizers import PreTrainedTokenizerFast as PreTrainedTokenizerFast
from transformers.trainer import Trainer as Trainer
from transformers.trainer_callback import (
    PrinterCallback as PrinterCallback,
    TrainerCallback as TrainerCallback,
    TrainerControl as TrainerControl,
    TrainerState as TrainerState,
)
from transformers.trainer_utils import set_seed as set_seed
from transformers.training_args import TrainingArguments as TrainingArguments
from transformers.utils.quantization_config import BitsAndBytesConfig as BitsAndBytesConfig

__version__: str
