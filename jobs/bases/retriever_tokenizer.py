"""Trains the tiny retriever's tokenizer: byte-level BPE, so that no word of any language is unknown."""

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from jobs.bases.motion import generate_clips
from jobs.bases.retriever_captions import describe, facts_of

SIZE = 1024
LONGEST = 64
"""Most tokens of a caption; longer ones are truncated."""
PAD, START, END = "<pad>", "<start>", "<end>"
_PLAIN = """
a about above across after again against all along an and animal another answer around arm at away baby back bag ball
band bar baseball basketball bear bed behind being bench between bicycle big bike bird black blue boat body book both
bottle bounce bowl box boy brown brush building bus but by camera car carry cat catch chair child children
circle city clap clean climb close clothes cloud coat coffee color colour come cook corner couple cross crowd
cup cut dance dancing dark day desk dog dogs door down draw drink drive drop each eat eating empty end enter eye face
fall fast field fill fire fish flash floor flower fly food foot football forest four from front full game garden girl
glass go goal golf grass gray green ground group guitar hair hand hands hat have he head her his hit hold holding
horse house in inside instrument into is it jump jumping kick kitchen knife ladder lake large lay leave left leg light
like line little long look low machine make man many mat meat men middle mouth move moving music near night no of off
old on one open orange other out outside over pair paper park part pass person phone piano pick picture piece pink
place plate play player playing point pool pot pour pull purple push put rain read red ride riding right river road
rock roll room rope round run running sand screen sea seat see shake shape she ship shirt shoe short show side sing
sit sitting ski skip sky sleep slow small smile snow soccer someone something song spin sport stage stand standing
step stick stone stop street swim swimming swing table take talk talking tall tennis that the their them then there
they thing three through throw time to together top towards toy track train tree truck turn two under up use video
walk walking wall wash watch water wave way wear wearing wheel while white wind window with woman women wood work
write yard yellow young
"""
"""Plain words of video captions, so that their frequent parts get tokens of their own."""
_ENDINGS = ("ing", "ed", "s", "er", "ly", "es", "est", "y")


def _corpus() -> list[str]:
    """Ten thousand of the base's own captions, and the plain words with their usual endings."""
    rng = np.random.default_rng(7)
    captions: list[str] = []
    for _ in range(40):
        captions += describe(rng, facts_of(generate_clips(rng, 256, 8)[1]))[0]
    words = _PLAIN.split()
    plain = [word + ending for word in words for ending in ("", *_ENDINGS)]
    return captions + words * 60 + plain * 6


def make_tokenizer() -> Tokenizer:
    """Byte-level BPE over lower-case text; the end token has the highest id, where text towers look for it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=SIZE - 3, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_corpus(), trainer)
    tokenizer.add_special_tokens([PAD, START, END])
    start, end = tokenizer.token_to_id(START), tokenizer.token_to_id(END)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, start), (END, end)]
    )
    tokenizer.enable_truncation(LONGEST)
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id(PAD), pad_token=PAD)
    return tokenizer
