"""tiny_model.py FOLDER [--larger]: a random Llama-shaped model of 0.4 million parameters with a tokenizer and data, made on the
spot, so that a real trainer has something real to train: FOLDER/model and FOLDER/data."""

import json
import pathlib
import random
import sys

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.models import llama
from mlx_lm.utils import save_config, save_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CONFIG = {
    "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 4, "intermediate_size": 128, "num_attention_heads": 4,
    "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "vocab_size": 4096, "rope_theta": 10000.0,
    "tie_word_embeddings": True, "max_position_embeddings": 8192,
}
# In proportion as real models are, 16-bit: for what depends on the shape, such as memory. 4 million parameters.
LARGER = {**CONFIG, "hidden_size": 256, "intermediate_size": 768, "num_attention_heads": 8, "num_key_value_heads": 4}


def make_words(rng):
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(rng.choice(letters) for _ in range(rng.randint(2, 8))) for _ in range(2000)]


def make_tokenizer(folder, words, rng):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    lines = (" ".join(rng.choice(words) for _ in range(50)) for _ in range(1000))
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=4000, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>",
        "model_max_length": 100000}))


def main():
    folder = pathlib.Path(sys.argv[1])
    model_folder, data = folder / "model", folder / "data"
    model_folder.mkdir(parents=True)
    data.mkdir()
    rng = random.Random(1)
    words = make_words(rng)
    make_tokenizer(model_folder, words, rng)
    mx.random.seed(1)
    larger = "--larger" in sys.argv[2:]
    config = LARGER if larger else CONFIG
    model = llama.Model(llama.ModelArgs.from_dict(config))
    if larger:
        model.set_dtype(mx.bfloat16)
    mx.eval(model.parameters())
    save_model(model_folder, model)
    save_config(dict(config), model_folder / "config.json")
    for name, rows in (("train", 64), ("valid", 16)):
        (data / f"{name}.jsonl").write_text("".join(
            json.dumps({"text": " ".join(rng.choice(words) for _ in range(30))}) + "\n" for _ in range(rows)))
    print(sum(v.size for _, v in tree_flatten(model.parameters())))


if __name__ == "__main__":
    main()
