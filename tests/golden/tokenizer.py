"""Golden token ids for crates/nn/src/tokenizer, computed by other people's code.

Versions: transformers 5.23.0, tokenizers 0.23.3, sentencepiece 0.2.3, Python 3.11. Seed: none needed, every
trainer below is deterministic on one thread.
Command: HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 STATESET_TEST_DATA=<data> python tests/golden/tokenizer.py
Writes tests/golden/tokenizer.json and the tiny models under tests/golden/text/.

Merges of a SentencePiece BPE model are derived from its scores by transformers' own
`convert_slow_tokenizer.generate_merges(vocab, scores)`. Loading the folder with `LlamaTokenizer.from_pretrained`
derives them from the order of the vocabulary instead, which for Llama 2 puts runs of spaces (score -1e9, vocabulary
id 259) first and disagrees both with the sentencepiece library and with the tokenizer.json files on the hub.
"""

import io
import json
import os
import shutil
import sys
import tempfile
import types

import sentencepiece
import tokenizers
import transformers
from sentencepiece import sentencepiece_model_pb2
from transformers import AutoTokenizer, LlamaTokenizer, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import SpmConverter, generate_merges

HERE = os.path.dirname(os.path.abspath(__file__))
TINY = os.path.join(HERE, "text")
DATA = os.environ.get("STATESET_TEST_DATA", os.path.join(HERE, "../../../shared/data"))

CORPUS = """The parcel left the depot on Monday and reached the shop on Thursday.
A customer asks where the order is, and the agent looks it up before answering.
Could you tell me the order number, please? It is 48213, and the parcel weighs 3.75 kg.
The blue lamp costs 19.99 pounds; the green one costs 24.50, with free delivery over 40.
def total(items): return sum(item.price * item.count for item in items)
if the refund is late, write to help@example.org or call 020 7946 0018.
Bonjour, je voudrais changer l'adresse de livraison. Grüße aus Köln, schöne Straße!
早上好，请问我的订单在哪里？ Привет, где мой заказ? こんにちは、荷物はどこですか。
Thanks a lot! No problem, have a nice day. See you soon, and take care of the lamp.
The agent answers: your parcel is on its way, it should arrive tomorrow before noon.
User asks, agent answers, tool looks up, user thanks, agent says goodbye.
{"name": "find_order", "arguments": {"order_id": 48213, "fields": ["status", "date"]}}
""" * 3

TEXTS = [
    "", " ", "  ", "\n", "\n\n", "\t\n", " \n \n", "a", "hello world", " hello", "  hello", "hello ", "hello  ",
    "Hello, World! How's it going?", "don't can't we'll I'M YOU'RE", "a  b   c    d", "line one\nline two\r\nline three\n\n\nend",
    "tabs\tand\t\tspaces   mixed \t x", "trailing spaces   \n   leading", "0", "12345678901234567890", "3.14159 1e-9 0x1F 1,000,000",
    "naïve café Straße Ünïcödé", "e\u0301 vs \u00e9, ﬁ and fi, Ａ and A, ２ and 2", "日本語のテキストです。", "中文，标点；测试。", "Привет, мир!", "مرحبا بالعالم", "שלום עולם",
    "हिन्दी में पाठ", "ไทย", "한국어 텍스트", "👍", "👍🏽 👩‍👩‍👧‍👦 🇬🇧 ☕️", "a👍b🙂c", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈", "\u200b\u200dzero\u2060width\ufeff", "nbsp\u00a0and\u3000wide\u2003spaces",
    "def f(x):\n    return x ** 2  # square\n\n\nprint(f(3))\n", "for (int i = 0; i < n; ++i) { a[i] += b[i] << 2; }", "<html><body class=\"x\">&amp;</body></html>",
    '{"name": "find_order", "arguments": {"id": 7, "deep": [1, 2.5, null, true]}}', "C:\\path\\to\\file.txt https://example.org/a?b=c&d=%20", "snake_case camelCase kebab-case SCREAMING",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "supercalifragilistic" * 20, "x" * 700, "ab" * 300, " " * 40 + "end", "\n" * 25,
    "<s>", "a <s> b", "<s>hi</s>", "</s></s>", "x<unk>y", "<|endoftext|>", "one<|endoftext|>two", " <|endoftext|> ",
    "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", "<|user|>\nhi<|end|>\n<|assistant|>\n", "<|start_story|>Once upon a time<|end_story|> The end",
    "<tool_call>\n{\"a\": 1}\n</tool_call>", "<think>\nwell\n</think>\n\nyes", "half <|im_end tag|> and |im_end|>", "<0x0A> <0x41>", "▁ ▁▁ ▁a", "Ġ Ċ ĠĠ",
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.",
    "The parcel left the depot on Monday; the agent looks it up.", "<pad><ctl>mark<ctl>", "key=value; key = value;", "ÿþýüûúùø",
]


def write(folder, name, text):
    os.makedirs(os.path.join(TINY, folder), exist_ok=True)
    with open(os.path.join(TINY, folder, name), "w", encoding="utf-8") as f:
        f.write(text)


def dump(folder, name, value):
    write(folder, name, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


CHATML = (
    "{%- for message in messages %}\n"
    "    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n"
    "    {{- '<|im_start|>assistant\\n' }}\n"
    "{%- endif %}\n"
)


def make_tiny_bpe():
    """GPT-2 style vocab.json + merges.txt with chat tokens in tokenizer_config.json."""
    tok = tokenizers.Tokenizer(tokenizers.models.BPE())
    tok.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tok.train_from_iterator(CORPUS.splitlines(), trainer)
    model = json.loads(tok.to_str())["model"]
    n = len(model["vocab"])
    dump("tiny-bpe", "vocab.json", model["vocab"])
    write("tiny-bpe", "merges.txt", "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in model["merges"]))
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    added = {
        str(n + i): dict(content=t, lstrip=False, normalized=False, rstrip=False, single_word=False, special=True)
        for i, t in enumerate(special)
    }
    added[str(n + 3)] = dict(
        content="<tool_call>", lstrip=False, normalized=False, rstrip=False, single_word=False, special=False
    )
    dump("tiny-bpe", "tokenizer_config.json", {
        "added_tokens_decoder": added, "tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>",
        "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "chat_template": CHATML,
    })


def train_sentencepiece(folder, **options):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.splitlines()), model_writer=out, num_threads=1, minloglevel=2, **options
    )
    os.makedirs(os.path.join(TINY, folder), exist_ok=True)
    with open(os.path.join(TINY, folder, "tokenizer.model"), "wb") as f:
        f.write(out.getvalue())


def make_tiny_sentencepiece():
    """A Llama-like BPE model with byte fallback, and a unigram model with a normalisation map of its own."""
    train_sentencepiece(
        "tiny-sp-bpe", model_type="bpe", vocab_size=520, byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, character_coverage=0.98, split_digits=True, allow_whitespace_only_pieces=True,
        control_symbols=["<ctl>"], user_defined_symbols=["<tool_call>"], pad_id=3,
    )
    dump("tiny-sp-bpe", "tokenizer_config.json", {
        "tokenizer_class": "LlamaTokenizer", "legacy": False, "add_bos_token": True, "add_eos_token": False,
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>",
    })
    # The trainer writes the name of the rules into the model, so it must not be a path.
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("rules.tsv", "w", encoding="utf-8") as f:
            for source, target in [("ﬁ", "fi"), ("Ａ", "A"), ("２", "2"), ("e\u0301", "é"), ("\u00a0", " "), ("\n", " "), ("\t", " ")]:
                f.write(f"{' '.join(f'{ord(c):X}' for c in source)}\t{' '.join(f'{ord(c):X}' for c in target)}\n")
        train_sentencepiece(
            "tiny-sp-unigram", model_type="unigram", vocab_size=200, normalization_rule_tsv="rules.tsv", character_coverage=1.0,
            control_symbols=["<ctl>"], user_defined_symbols=["<tool_call>"], pad_id=3,
        )
        os.chdir(here)


def proto_of(path):
    proto = sentencepiece_model_pb2.ModelProto()
    with open(path, "rb") as f:
        proto.ParseFromString(f.read())
    return proto


def llama_from_scores(path, **options):
    """transformers' Llama pipeline over a SentencePiece model, merges from the scores."""
    proto = proto_of(path)
    vocab = {p.piece: i for i, p in enumerate(proto.pieces)}
    merges = generate_merges(vocab, {p.piece: p.score for p in proto.pieces})
    tok = LlamaTokenizer(vocab=vocab, merges=merges, **options)
    extra = [tokenizers.AddedToken(p.piece, normalized=False, special=p.type == 3) for p in proto.pieces if p.type in (3, 4)]
    tok.add_tokens(extra)
    return tok


def unigram_from_proto(path):
    """transformers' generic SentencePiece conversion."""
    tok = SpmConverter(types.SimpleNamespace(vocab_file=path)).converted()
    spec = proto_of(path).trainer_spec
    return PreTrainedTokenizerFast(
        tokenizer_object=tok, bos_token=spec.bos_piece, eos_token=spec.eos_piece, unk_token=spec.unk_piece,
        pad_token=spec.pad_piece if spec.pad_id >= 0 else None,
    )


def with_config(folder, model_type):
    copy = tempfile.mkdtemp()
    for name in os.listdir(folder):
        shutil.copy(os.path.join(folder, name), copy)
    with open(os.path.join(copy, "config.json"), "w") as f:
        json.dump({"model_type": model_type}, f)
    return AutoTokenizer.from_pretrained(copy)


def loaders():
    tiny = lambda name, *rest: os.path.join(TINY, name, *rest)
    data = lambda name, *rest: os.path.join(DATA, name, *rest)
    yield "tiny-bpe", lambda: AutoTokenizer.from_pretrained(tiny("tiny-bpe"))
    yield "tiny-sp-bpe", lambda: llama_from_scores(
        tiny("tiny-sp-bpe", "tokenizer.model"), legacy=False, add_bos_token=True, add_eos_token=False, pad_token="<pad>"
    )
    yield "tiny-sp-unigram", lambda: unigram_from_proto(tiny("tiny-sp-unigram", "tokenizer.model"))
    yield "tiny-unigram-json", lambda: AutoTokenizer.from_pretrained(tiny("tiny-unigram-json"))
    yield "gpt2", lambda: transformers.GPT2Tokenizer(
        vocab=data("tokenizers/gpt2/encoder.json"), merges=data("tokenizers/gpt2/vocab.bpe")
    )
    yield "llama2", lambda: llama_from_scores(data("tokenizers/llama2/tokenizer.model"))
    yield "minimind", lambda: AutoTokenizer.from_pretrained(data("tokenizers/minimind"))
    yield "phi3", lambda: AutoTokenizer.from_pretrained(data("tokenizers/phi3"))
    yield "phi3 in a phi3 model folder", lambda: with_config(data("tokenizers/phi3"), "phi3")
    yield "tinystories-656k", lambda: AutoTokenizer.from_pretrained(data("tinystories-656k"))


def record(tok):
    rows = []
    for text in TEXTS:
        ids = tok.encode(text)
        rows.append({
            "text": text,
            "ids": ids,
            "ids_without_special": tok.encode(text, add_special_tokens=False),
            "decoded": tok.decode(ids, clean_up_tokenization_spaces=False),
            "decoded_without_special": tok.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False),
        })
    return {"n_tokens": len(tok), "bos": tok.bos_token_id, "eos": tok.eos_token_id, "pad": tok.pad_token_id, "rows": rows}


def main():
    make_tiny_bpe()
    make_tiny_sentencepiece()
    os.makedirs(os.path.join(TINY, "tiny-unigram-json"), exist_ok=True)
    unigram = unigram_from_proto(os.path.join(TINY, "tiny-sp-unigram", "tokenizer.model"))
    unigram._tokenizer.save(os.path.join(TINY, "tiny-unigram-json", "tokenizer.json"))
    dump("tiny-unigram-json", "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
    })
    out = {
        "versions": {
            "transformers": transformers.__version__, "tokenizers": tokenizers.__version__,
            "sentencepiece": sentencepiece.__version__, "python": sys.version.split()[0],
        },
        "tokenizers": {},
    }
    for name, load in loaders():
        out["tokenizers"][name] = record(load())
    with open(os.path.join(HERE, "tokenizer.json"), "w", encoding="utf-8") as f:
        f.write("{\n")
        f.write(f' "versions": {json.dumps(out["versions"])},\n "tokenizers": {{\n')
        blocks = []
        for name, rec in out["tokenizers"].items():
            rows = ",\n".join("    " + json.dumps(r, ensure_ascii=False) for r in rec.pop("rows"))
            head = json.dumps(rec)[:-1]
            blocks.append(f'  {json.dumps(name)}: {head}, "rows": [\n{rows}\n  ]}}')
        f.write(",\n".join(blocks))
        f.write("\n }\n}\n")


main()
