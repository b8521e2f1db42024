#!/usr/bin/env python3
"""make_replies.py: write replies.jsonl, the replies that DSPy and we must read alike.

    python3 make_replies.py > replies.jsonl

Each line: {"id", "signature" (string form), "adapter", "reply"}. First those made by hand, one for each way in
which models are known to go astray; then made ones: valid replies of random values, each damaged in up to two ways.
The seed is fixed, so the file is the same on every machine."""

import json
import random
import sys

TEXT = "question -> answer"
WHOLE = "question -> reasoning, answer: int"
MIXED = ("question, k: int -> score: float, ok: bool, tags: list[str], label: Literal['a', 'b'], "
         "note: Optional[str]")
MAPS = "question -> counts: dict[str, int], ids: list[int], limit: Optional[int]"
LONG = ("hardware_context, performance_target -> reasoning, optimization_strategy, resource_allocation, "
        "client_optimization")
NESTED = "question -> rows: list[list[int]], facts: dict[str, str], flag: bool"

DONE = "\n\n[[ ## completed ## ]]"


def chat(**fields):
    return "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items()) + DONE


def mixed(**changed):
    """A reply for MIXED that is right but for what is named; None leaves a field out."""
    fields = {"score": "0.5", "ok": "true", "tags": '["x", "y"]', "label": "a", "note": "fine", **changed}
    return chat(**{k: v for k, v in fields.items() if v is not None})


HAND = [
    # ---- where a section begins and ends
    (TEXT, "chat", chat(answer="Paris")),
    (TEXT, "chat", "[[ ## answer ## ]]\nParis"),
    (TEXT, "chat", "[[ ## answer ## ]] Paris"),
    (TEXT, "chat", "[[ ## answer ## ]]Paris"),
    (TEXT, "chat", "Sure! Here it is:\n\n[[ ## answer ## ]]\nParis" + DONE + "\nAnything else?"),
    (TEXT, "chat", "[[ ## answer ## ]]\nParis\n\n[[ ## answer ## ]]\nRome" + DONE),
    (TEXT, "chat", "[[ ## question ## ]]\nWhere?\n\n[[ ## answer ## ]]\nParis" + DONE),
    (TEXT, "chat", "  [[ ## answer ## ]]\nParis" + DONE),
    (TEXT, "chat", "\t[[ ## answer ## ]] Paris" + DONE),
    (TEXT, "chat", "**[[ ## answer ## ]]**\nParis" + DONE),
    (TEXT, "chat", "[[##answer##]]\nParis" + DONE),
    (TEXT, "chat", "[[ ## Answer ## ]]\nParis" + DONE),
    (TEXT, "chat", "[[ ## answer ## ]\nParis" + DONE),
    (TEXT, "chat", "[[  ##  answer  ##  ]]\nParis" + DONE),
    (TEXT, "chat", "The [[ ## answer ## ]] is Paris"),
    (TEXT, "chat", "### [[ ## answer ## ]]\nParis" + DONE),
    (TEXT, "chat", "Paris"),
    (TEXT, "chat", ""),
    (TEXT, "chat", "   \n\n  "),
    (TEXT, "chat", "[[ ## completed ## ]]"),
    (TEXT, "chat", "[[ ## answer ## ]]\n\n\n[[ ## completed ## ]]"),
    (TEXT, "chat", "[[ ## answer ## ]]\nfirst\n\nsecond\n\n\nthird  \n" + DONE),
    (TEXT, "chat", "[[ ## answer ## ]]\r\nParis\r\nFrance\r\n\r\n[[ ## completed ## ]]"),
    (TEXT, "chat", "[[ ## answer ## ]]\nline\x0bbreak\x0cof\x85other\u2028kinds" + DONE),
    (TEXT, "chat", "<think>It is [[ ## answer ## ]]</think>\n[[ ## answer ## ]]\nParis" + DONE),
    (TEXT, "chat", "<think>\n[[ ## answer ## ]]\nRome?\n</think>\n[[ ## answer ## ]]\nParis" + DONE),
    (TEXT, "chat", "[[ ## answer ## ]]\n```\nParis\n```" + DONE),
    (TEXT, "chat", '[[ ## answer ## ]]\n"Paris"' + DONE),
    (TEXT, "chat", "[[ ## answer ## ]]\nnull" + DONE),
    (TEXT, "chat", "[[ ## answer ## ]]\n{answer}" + DONE),
    (TEXT, "chat", "[[ ## answer ## ]]\nM\u00fcnchen \u732b \U0001f34e" + DONE),
    (TEXT, "chat", "[[ ## answer ## ]]\n[[ ## other ## ]]\nx" + DONE),
    (TEXT, "chat", "[[ ## answer ## ]]\na [[ ## b ## ]] c" + DONE),
    (TEXT, "chat", '{"answer": "Paris"}'),
    (TEXT, "chat", '```json\n{"answer": "Paris"}\n```'),
    (TEXT, "chat", "answer: Paris"),
    (TEXT, "chat", "Answer: Paris" + DONE),
    # ---- whole numbers
    *[(WHOLE, "chat", chat(reasoning="r", answer=v)) for v in (
        "3", " 3 ", "3.0", "3.5", "-3", "+3", "0003", "1_000", "1,000", '"3"', "'3'", "true", "three", "3 items", "",
        "3.", "1e3", "0x10", "9007199254740992", "None", "null", "[3]", "```\n3\n```", "3%", "$3", "**3**", "`3`",
        "The answer is 3", "3\n\nBecause.", "{answer}", "\u0663")],
    (WHOLE, "chat", chat(answer="3")),
    (WHOLE, "chat", chat(answer="3", reasoning="r")),
    (WHOLE, "chat", chat(reasoning="r")),
    # ---- truth values, words, lists, what may be null
    *[(MIXED, "chat", mixed(ok=v)) for v in (
        "True", "false", "FALSE", "yes", "No", "on", "off", "1", "0", "t", "n", "False.", "maybe", "", "null", "2",
        '"true"', "1.0")],
    *[(MIXED, "chat", mixed(score=v)) for v in (
        "1", "1e3", "-0.0", ".5", "5.", "inf", "-inf", "nan", "NaN", "3%", "$3", "0.5 points", "1,5", "'0.5'", "half",
        "", "true", "1_0.5", "9" * 30)],
    *[(MIXED, "chat", mixed(tags=v)) for v in (
        "[]", "['x']", "x", "x, y", "- x\n- y", "1. x\n2. y", '["x", 1]', '["x", null]', '"x"', '("x", "y")',
        '["x", "y"', '["x" "y"]', '```json\n["x"]\n```', '["a,b", "c\\"d"]', '{"x": 1}', "[x, y]", '["\u732b"]',
        '["x",]', "", "[[\"x\"]]")],
    *[(MIXED, "chat", mixed(label=v)) for v in (
        "b", "A", "a.", '"a"', "'b'", "\"'a'\"", "Literal[a]", "str[a]", "Literal['a']", "c", "", "a or b", "`a`",
        "  a  ")],
    *[(MIXED, "chat", mixed(note=v)) for v in ("null", "None", "", "3", '"quoted"', "two\nlines", None)],
    (MIXED, "chat", mixed(score=None)),
    (MIXED, "chat", mixed(tags=None, note=None)),
    (MIXED, "chat", mixed(score=None, ok=None, tags=None, label=None, note=None)),
    # ---- maps and lists of numbers
    *[(MAPS, "chat", chat(counts=c, ids=i, limit=n)) for c, i, n in (
        ('{"a": 1}', "[1, 2]", "3"), ("{}", "[]", "null"), ("{'a': 1}", "(1, 2)", "None"), ('{"a": "1"}', '["1"]', '"3"'),
        ('{"a": 1.0}', "[1.0]", "3.0"), ('{"a": 1.5}', "[1]", "3"), ('{"a": 1}', "[1.5]", "3"), ("{a: 1}", "1, 2", "3"),
        ('{"a": 1', "[1, 2", "3"), ('{"a": null}', "[1]", "3"), ('{"a": true}', "[true]", "true"), ("a: 1", "[1]", "3"),
        ('[["a", 1]]', "[1]", "3"), ('{"a": 1}', "[1]", "many"), ('{"a": 1} // so', "[1] # ids", "3"),
        ('{"a": 1, "a": 2}', "[1]", "3"), ('{1: 1}', "[1]", "3"), ('{"a": {"b": 1}}', "[1]", "3"))],
    (NESTED, "chat", chat(rows="[[1, 2], [3]]", facts='{"a": "b"}', flag="true")),
    (NESTED, "chat", chat(rows="[[1, 2], 3]", facts='{"a": "b"}', flag="true")),
    (NESTED, "chat", chat(rows="[]", facts='{"a": 1}', flag="true")),
    (NESTED, "chat", chat(rows="[[]]", facts="{'a': 'b', 'c': \"d'e\"}", flag="y")),
    (NESTED, "chat", chat(rows='[["1"], [2.0]]', facts='{"a": "b\\nc"}', flag="N")),
    # ---- one JSON object
    *[(TEXT, "json", r) for r in (
        '{"answer": "Paris"}', '```json\n{"answer": "Paris"}\n```', "```\n{\"answer\": \"Paris\"}\n```",
        'Here it is: {"answer": "Paris"} I hope it helps.', "{'answer': 'Paris'}", "{answer: Paris}",
        '{"answer": "Paris",}', '{"answer": "Paris"', '{"answer": "Par', '{"answer": Paris}', '{"Answer": "Paris"}',
        '{"answer": "Paris", "more": 1}', '{"answer": null}', '{"answer": 3}', '{"answer": 3.0}', '{"answer": true}',
        '{"answer": ["a", "b"]}', '{"answer": {"a": 1}}', '{"answer": "say "hi" now"}', '{"answer": "two\nlines"}',
        '{"answer": "a"}\n{"answer": "b"}', '[{"answer": "Paris"}]', '["Paris"]', '"Paris"', "Paris", "", "{}",
        '{"answer": "Paris" // the capital\n}', '/* so */ {"answer": "Paris"}', '{"answer": "\\u00fc\\n\\t\\""}',
        '{"answer": ""}', '<think>{"answer": "Rome"}</think>{"answer": "Paris"}', '{"result": {"answer": "Paris"}}',
        chat(answer="Paris"), '{"answer" "Paris"}', '{"answer"= "Paris"}', "{\"answer\": 'Paris'}")],
    *[(MIXED, "json", r) for r in (
        '{"score": 0.5, "ok": true, "tags": ["x"], "label": "a", "note": null}',
        '{"score": "0.5", "ok": "true", "tags": "[\'x\']", "label": "a", "note": "n"}',
        '{"score": 1, "ok": 1, "tags": [], "label": "b"}', '{"score": 1, "ok": "maybe", "tags": [], "label": "b"}',
        '{"score": 1, "ok": false, "tags": ["x", 1], "label": "b", "note": 3}',
        '{"score": 1, "ok": false, "tags": "x", "label": "b"}', '{"score": 1, "ok": false, "tags": null, "label": "b"}',
        '{"score": null, "ok": false, "tags": [], "label": "b"}', '{"score": 1, "ok": false, "tags": [], "label": "c"}',
        '{"score": 1, "ok": false, "tags": [], "label": "\'a\'"}', '{"score": "3%", "ok": false, "tags": [], "label": "a"}',
        '{"score": true, "ok": false, "tags": [], "label": "a"}', '{"score": 1, "ok": 0.5, "tags": [], "label": "a"}',
        '{"score": 1, "ok": false, "tags": {"a": 1}, "label": "a"}', '{"ok": false, "tags": [], "label": "a"}',
        "{'score': 1.5, 'ok': False, 'tags': ['x', 'y'], 'label': 'a', 'note': None}",
        '{"score": 0.5, "ok": true, "tags": ["x", "label": "a"}', '{"score": NaN, "ok": true, "tags": [], "label": "a"}')],
    *[(MAPS, "json", r) for r in (
        '{"counts": {"a": 1}, "ids": [1, 2], "limit": 3}', '{"counts": {}, "ids": [], "limit": null}',
        '{"counts": {"a": "1"}, "ids": ["1"], "limit": "3"}', '{"counts": {"a": 1.5}, "ids": [1], "limit": 3}',
        '{"counts": "{\'a\': 1}", "ids": "[1]", "limit": "null"}', '{"counts": {"a": 1}, "ids": 1}',
        '{"counts": [], "ids": [1]}', '{"counts": {"a": 1}, "ids": [1, [2]]}', '{"counts": {"a": 1}, "ids": [true]}')],
    *[(WHOLE, "json", r) for r in (
        '{"reasoning": "r", "answer": 3}', '{"reasoning": "r", "answer": 3.0}', '{"reasoning": "r", "answer": 3.5}',
        '{"reasoning": "r", "answer": "3"}', '{"reasoning": "r", "answer": "1,000"}', '{"answer": 3}',
        '{"reasoning": ["a"], "answer": true}', '{"reasoning": "r", "answer": [3]}', '{"reasoning": "r", "answer": ""}',
        '{"reasoning": "r", "answer": 12345678901234567890}', '{"reasoning": "r" "answer": 3}')],
]

# ---- made ones

WORDS = ("rank 8 for the small Macs", "q4 weights", "batch 1, 512 tokens", "use f16 uploads", "gr\u00f6\u00dfer", "\u732b",
         'say "no"', "it's fine", "50 % of it", "a: b", "- one\n- two", "line one\nline two", "{x}", "[1]", "C:\\tmp")


def values_for(signature, rng):
    word = lambda: rng.choice(WORDS)
    if signature == TEXT:
        return {"answer": word()}
    if signature == WHOLE:
        return {"reasoning": word(), "answer": rng.randint(-9, 10**rng.randint(1, 12))}
    if signature == MIXED:
        return {"score": rng.choice((0.0, 1.0, round(rng.uniform(-99, 99), 3), 1e-7, 1e20)), "ok": rng.random() < 0.5,
                "tags": [word() for _ in range(rng.randint(0, 3))], "label": rng.choice("ab"),
                "note": rng.choice((word(), None))}
    if signature == MAPS:
        return {"counts": {rng.choice("abc") + str(i): rng.randint(0, 99) for i in range(rng.randint(0, 3))},
                "ids": [rng.randint(-5, 5) for _ in range(rng.randint(0, 4))], "limit": rng.choice((None, rng.randint(0, 9)))}
    if signature == NESTED:
        return {"rows": [[rng.randint(0, 9) for _ in range(rng.randint(0, 3))] for _ in range(rng.randint(0, 3))],
                "facts": {w.split()[0]: word() for w in rng.sample(WORDS, rng.randint(0, 2))}, "flag": rng.random() < 0.5}
    return {name: word() for name in ("reasoning", "optimization_strategy", "resource_allocation", "client_optimization")}


def shown(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def chat_damage(rng, fields):
    """A reply of these fields, damaged in one way."""
    names = list(fields)
    kind = rng.randrange(12)
    if kind == 0:
        fields = {n: fields[n] for n in names if n != rng.choice(names)}
    elif kind == 1:
        rng.shuffle(names)
        fields = {n: fields[n] for n in names}
    reply = chat(**{n: shown(v) for n, v in fields.items()})
    if kind == 2:
        reply = reply[:rng.randrange(len(reply))]
    elif kind == 3:
        reply = "I think this is best.\n\n" + reply
    elif kind == 4:
        reply = reply.replace(" ## ]]\n", " ## ]] ")
    elif kind == 5:
        reply = reply.replace("\n\n", "\n")
    elif kind == 6:
        reply = reply.replace("[[ ## ", "[[ ##", 1)
    elif kind == 7:
        reply = reply.replace(DONE, "")
    elif kind == 8:
        reply = reply + "\n\n" + reply
    elif kind == 9:
        name = rng.choice(names)
        reply = reply.replace(f"[[ ## {name} ## ]]\n", f"[[ ## {name} ## ]]\n```json\n", 1).replace(
            "\n\n[[", "\n```\n\n[[", 1)
    elif kind == 10:
        reply = reply.replace("\n", "\r\n")
    return reply


def json_damage(rng, fields):
    names = list(fields)
    kind = rng.randrange(12)
    if kind == 0:
        fields = {n: fields[n] for n in names if n != rng.choice(names)}
    elif kind == 1:
        fields = {n: shown(v) for n, v in fields.items()}
    reply = json.dumps(fields, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, 2)))
    if kind == 2:
        reply = reply[:rng.randrange(len(reply))]
    elif kind == 3:
        reply = "```json\n" + reply + "\n```"
    elif kind == 4:
        reply = "Here you are:\n" + reply + "\nDone."
    elif kind == 5:
        reply = repr(fields)
    elif kind == 6:
        reply = reply.replace('": ', '" ', 1)
    elif kind == 7:
        reply = reply.replace(",", "", 1)
    elif kind == 8:
        reply = reply[:-1].rstrip() + ",}"
    elif kind == 9:
        reply = reply.replace("}", "", 1)
    elif kind == 10:
        reply = reply.replace('"', "'")
    return reply


def main():
    rng = random.Random(20261127)
    lines = [(signature, adapter, reply) for signature, adapter, reply in HAND]
    for i in range(240):
        signature = (TEXT, WHOLE, MIXED, MAPS, LONG, NESTED)[i % 6]
        fields = values_for(signature, rng)
        if i // 6 % 2:
            lines.append((signature, "json", json_damage(rng, fields)))
        else:
            lines.append((signature, "chat", chat_damage(rng, fields)))
    for i, (signature, adapter, reply) in enumerate(lines):
        kind = "hand" if i < len(HAND) else "made"
        json.dump({"id": f"{kind}-{i}", "signature": signature, "adapter": adapter, "reply": reply}, sys.stdout)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
