#!/usr/bin/env python3
"""Write the framing file of the DSPy that is installed beside this Python.

    python3 export_framing.py [FILE]        without FILE to standard output

A framing (coordinator/signature/framing.h) is every word between the fields and values of a prompt.
A program that was optimised in DSPy is best replayed under DSPy's own words: this script lets the
installed DSPy render signatures made for the purpose, and cuts those words out of what it rendered.
Where another version renders in another layout it fails, naming the slot it could not find.

Nothing is downloaded; no model is asked.
"""

import atexit
import enum
import json
import os
import shutil
import sys
import tempfile
from typing import Literal

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
if "DSPY_CACHEDIR" not in os.environ:
    os.environ["DSPY_CACHEDIR"] = tempfile.mkdtemp(prefix="dspy-cache-")
    atexit.register(shutil.rmtree, os.environ["DSPY_CACHEDIR"], ignore_errors=True)

import dspy  # noqa: E402  (reads the environment when it is imported)

VALUE = "Vqin"
OBJECTIVE = "Oobjective"
NOTE_INDENT = " " * 8
COMPLETED = "[[ ## completed ## ]]"


class Colour(enum.Enum):
    first = "zz1"
    second = "zz2"


class Probe(dspy.Signature):
    """Oobjective"""

    qin: str = dspy.InputField(desc="Dqin")
    other: str = dspy.InputField(desc="Dother")
    truth: bool = dspy.OutputField(desc="Dtruth")
    whole: int = dspy.OutputField(desc="Dwhole", ge=7)
    part: float = dspy.OutputField(desc="Dpart")
    colour: Colour = dspy.OutputField(desc="Dcolour")
    word: Literal["zz1", "zz2"] = dspy.OutputField(desc="Dword")
    items: list[str] = dspy.OutputField(desc="Ditems")
    last: str = dspy.OutputField(desc="Dlast")


class Talk(dspy.Signature):
    """Oobjective"""

    past: dspy.History = dspy.InputField()
    qin: str = dspy.InputField()
    last: str = dspy.OutputField()


def fail(slot, text):
    sys.exit(f"export_framing: {slot} not found: this DSPy ({dspy.__version__}) renders otherwise:\n{text}")


def between(slot, text, before, after):
    """What stands between two texts; either may be None for the text's own end."""
    start = 0
    if before is not None:
        start = text.find(before)
        if start < 0:
            fail(slot, text)
        start += len(before)
    end = len(text) if after is None else text.find(after, start)
    if end < 0:
        fail(slot, text)
    return text[start:end]


def with_hole(slot, of_int, of_float):
    """The text that both are, with the type's name taken out."""
    at = of_int.find("int")
    while at >= 0:
        if of_int[:at] + "float" + of_int[at + 3 :] == of_float:
            return of_int[:at] + "{type}" + of_int[at + 3 :]
        at = of_int.find("int", at + 1)
    return fail(slot, of_int)


def common_start(texts):
    return os.path.commonprefix(texts)


def messages(adapter, signature, demos=(), **inputs):
    return [m["content"] for m in adapter.format(signature, list(demos), inputs)]


def read_lists(slots, system):
    slots["inputs_heading"] = between("inputs_heading", system, None, "\n1. `qin` (str): Dqin")
    outputs = between("outputs_heading", system, "2. `other` (str): Dother\n", "\n1. `truth`")
    slots["outputs_heading"] = outputs
    slots["constraints_label"] = between("constraints_label", system, "Dwhole\n", "greater than")


def read_notes(slots, system):
    notes = {}
    for name, following in zip(
        ["truth", "whole", "part", "colour", "word", "items"],
        ["whole", "part", "colour", "word", "items", "last"],
    ):
        marker = f"[[ ## {name} ## ]]\n{{{name}}}{NOTE_INDENT}"
        notes[name] = between(f"the note of {name}", system, marker, f"\n\n[[ ## {following} ## ]]")
    lead = common_start(list(notes.values()))
    rest = {name: note[len(lead) :] for name, note in notes.items()}
    slots["note_lead"] = lead
    slots["note_bool"] = rest["truth"]
    slots["note_number"] = with_hole("note_number", rest["whole"], rest["part"])
    slots["note_enum"] = between("note_enum", rest["colour"], None, "zz1; zz2")
    slots["note_literal"] = between("note_literal", rest["word"], None, "zz1; zz2")
    slots["note_schema"] = between("note_schema", rest["items"], None, '{"type": "array"')


def read_chat(slots):
    adapter = dspy.ChatAdapter()
    system, user = messages(adapter, Probe, qin=VALUE)
    read_lists(slots, system)
    after_lists = "7. `last` (str): Dlast\n"
    slots["structure_heading"] = between("structure_heading", system, after_lists, "\n\n[[ ## qin")
    read_notes(slots, system)
    slots["objective_heading"] = between(
        "objective_heading", system, f"{COMPLETED}\n", f"\n{NOTE_INDENT}{OBJECTIVE}"
    )
    reminder = between("reminder_lead", user, f"{VALUE}\n\n", None)
    slots["reminder_lead"] = between("reminder_lead", reminder, None, "`[[ ## truth ## ]]`")
    of_int = between("reminder_type", reminder, "`[[ ## whole ## ]]`", ", then `[[ ## part")
    of_float = between("reminder_type", reminder, "`[[ ## part ## ]]`", ", then `[[ ## colour")
    slots["reminder_type"] = with_hole("reminder_type", of_int, of_float)
    slots["reminder_end"] = between("reminder_end", reminder, "`[[ ## last ## ]]`", None)


def read_json(slots):
    system, user = messages(dspy.JSONAdapter(), Probe, qin=VALUE)
    before = f"Dlast\n{slots['structure_heading']}\n\n"
    slots["json_inputs_heading"] = between("json_inputs_heading", system, before, "\n\n[[ ## qin")
    slots["json_outputs_heading"] = between(
        "json_outputs_heading", system, "{other}\n\n", '\n\n{\n  "truth": '
    )
    slots["json_reminder"] = between("json_reminder", user, f"{VALUE}\n\n", "`truth`")


def read_demos(slots):
    demo = {"qin": "Dvalue", "last": "Lvalue"}
    _, question, answer, _ = messages(dspy.ChatAdapter(), Probe, [demo], qin=VALUE)
    slots["demo_incomplete"] = between("demo_incomplete", question, None, "\n\n[[ ## qin")
    slots["demo_missing"] = between(
        "demo_missing", answer, "[[ ## truth ## ]]\n", "\n\n[[ ## whole ## ]]"
    )


def read_turns(slots):
    past = dspy.History(messages=[{"qin": "Tvalue", "last": "Lvalue"}])
    _, turn, _, _ = messages(dspy.ChatAdapter(), Talk, past=past, qin=VALUE)
    slots["turn_form"] = "reminded" if slots["reminder_lead"] in turn else "bare"


def framing():
    slots = {}
    read_chat(slots)
    read_json(slots)
    read_demos(slots)
    read_turns(slots)
    slots["schema_form"] = "json"
    return slots


def main():
    if len(sys.argv) > 2 or (len(sys.argv) == 2 and sys.argv[1].startswith("-")):
        sys.exit(__doc__)
    text = json.dumps(framing(), indent=2, ensure_ascii=False) + "\n"
    if len(sys.argv) == 2:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
